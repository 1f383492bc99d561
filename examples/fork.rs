//! One call, two returns: the parent gets the id of the
//! child, the child gets 0.
//!
//!     cargo run --example fork
//!
//! Expect: lines 3-4 in any order

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getpid};

fn main() -> nix::Result<()> {
    println!("Parent process id: {}", getpid());
    println!("Create child process.");
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            println!("Child process id: {}", getpid());
        }
        ForkResult::Parent { child } => {
            println!("Created child process with pid: {child}");
            waitpid(child, None)?;
        }
    }
    Ok(())
}
