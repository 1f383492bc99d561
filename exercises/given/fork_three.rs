//! This program should start three children with `fork`. Each
//! prints its number, from "child 1" to "child 3", and ends.
//! The program waits for all three, and ends too.
//!
//! As it is given, it starts too many. Mend it, and check it:
//!
//!     cargo exercise fork_three

use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for number in 1..=3 {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => println!("child {number}"),
            ForkResult::Parent { .. } => (),
        }
    }
    wait()?;
    Ok(())
}
