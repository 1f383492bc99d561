//! An error in the child returns into the parent's code, and
//! then two processes run it.
//!
//!     cargo run --example fork_escape

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::process::{exit, id};
use std::{fs, io};

fn main() {
    println!("Parent: process {}", id());
    if start().is_err() {
        println!("No worker was started.");
    }
    println!("Process {} sends the report.", id());
}

fn start() -> io::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            work()?; // leaves `start`, and not the process
            exit(0)
        }
        ForkResult::Parent { child } => waitpid(child, None)?,
    };
    Ok(())
}

fn work() -> io::Result<()> {
    fs::read("/no/such/file").map(drop)
}
