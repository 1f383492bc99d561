//! Text that waits in a buffer when the process forks is
//! printed twice.
//!
//!     cargo run --example fork_buffer

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::io::{Write, stdout};
use std::process::exit;

fn main() -> Result<(), Box<dyn Error>> {
    print!("Waiting in the buffer. ");
    fork_and_greet()?;
    print!("Flushed before the fork. ");
    stdout().flush()?;
    fork_and_greet()
}

fn fork_and_greet() -> Result<(), Box<dyn Error>> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            println!("I am the child.");
            exit(0)
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("I am the parent.");
            Ok(())
        }
    }
}
