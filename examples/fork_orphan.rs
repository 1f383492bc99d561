//! A child whose parent ends first gets another parent: the
//! nearest ancestor that asked for orphans, or process 1.
//!
//!     cargo run --example fork_orphan

use nix::sys::prctl::set_child_subreaper;
use nix::sys::wait::{wait, waitpid};
use nix::unistd::{ForkResult, fork, getpid, getppid};
use std::io::{self, PipeReader, Read, pipe};

// ANCHOR: family
fn main() -> io::Result<()> {
    set_child_subreaper(true)?;
    println!("Grandparent: pid {}", getpid());
    let (signal, hold) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(hold); // only the grandparent holds it
            return parent(signal);
        }
        ForkResult::Parent { child } => waitpid(child, None)?,
    };
    println!("Grandparent: the parent has ended.");
    drop(hold);
    let orphan = wait()?.pid().expect("it has ended");
    println!("Grandparent: reaped pid {orphan}");
    Ok(())
}

fn parent(signal: PipeReader) -> io::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => orphan(signal),
        ForkResult::Parent { child } => {
            let pid = getpid();
            println!("Parent: pid {pid}, child is pid {child}");
            Ok(())
        }
    }
}

fn orphan(mut signal: PipeReader) -> io::Result<()> {
    signal.read_to_end(&mut vec![])?; // `hold` is closed
    let (pid, parent) = (getpid(), getppid());
    println!("Orphan: pid {pid}, now child of pid {parent}");
    Ok(())
}
// ANCHOR_END: family
