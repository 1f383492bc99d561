//! A child that never returns into its parent's code: its
//! errors and panics become an exit status.
//!
//!     cargo run --example fork_child

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{self, Write, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{fs, process};

fn main() -> io::Result<()> {
    println!("Parent: process {}", process::id());
    println!("{:?}", waitpid(start(|| Ok(()))?, None)?);
    println!("{:?}", waitpid(start(fails)?, None)?);
    println!("{:?}", waitpid(start(panics)?, None)?);
    println!("Process {} sends the report.", process::id());
    Ok(())
}

fn fails() -> io::Result<()> {
    fs::read("/no/such/file").map(drop)
}

fn panics() -> io::Result<()> {
    panic!("no such luck");
}

fn start(work: fn() -> io::Result<()>) -> io::Result<Pid> {
    stdout().flush()?; // what is printed twice otherwise
    // SAFETY: this program has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }? {
        return Ok(child);
    }
    let status = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            eprintln!("{error}");
            1
        }
        Err(_) => 101, // its message is printed already
    };
    _ = stdout().flush(); // what the child has printed
    // SAFETY: it runs no code of this program.
    unsafe { libc::_exit(status) }
}
