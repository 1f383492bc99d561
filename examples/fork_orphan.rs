//! A child whose parent ends first gets another parent: the
//! nearest ancestor that said that it takes orphans, or
//! process 1.
//!
//!     cargo run --example fork_orphan

use nix::sys::prctl::set_child_subreaper;
use nix::sys::wait::{wait, waitpid};
use nix::unistd::{ForkResult, fork, getpid, getppid};
use std::error::Error;
use std::io::{PipeReader, Read, pipe};

// ANCHOR: family
fn main() -> Result<(), Box<dyn Error>> {
    set_child_subreaper(true)?;
    println!("Grandparent: pid {}", getpid());
    let (signal, hold) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(hold); // the grandparent alone holds it
            parent(signal)?;
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("Grandparent: the parent has ended.");
            drop(hold);
            let orphan = wait()?.pid().ok_or("no child")?;
            println!("Grandparent: reaped pid {orphan}");
        }
    }
    Ok(())
}

fn parent(signal: PipeReader) -> Result<(), Box<dyn Error>> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => orphan(signal),
        ForkResult::Parent { child } => {
            let pid = getpid();
            println!(
                "Parent: pid {pid}, its child is pid {child}"
            );
            Ok(())
        }
    }
}

fn orphan(
    mut signal: PipeReader,
) -> Result<(), Box<dyn Error>> {
    // Ends when `hold` is closed.
    signal.read_to_end(&mut Vec::new())?;
    let (pid, parent) = (getpid(), getppid());
    println!("Orphan: pid {pid}, now child of pid {parent}");
    Ok(())
}
// ANCHOR_END: family
