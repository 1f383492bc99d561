//! Three children, no grandchildren.

use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork};
use std::process::exit;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for number in 1..=3 {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                println!("child {number}");
                exit(0);
            }
            ForkResult::Parent { .. } => (),
        }
    }
    for _ in 1..=3 {
        wait()?;
    }
    Ok(())
}
