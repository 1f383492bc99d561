//! Refused: was still running when your program ended
//! Refused: was a zombie when your program ended

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
    wait()?;
    Ok(())
}
