//! Refused: There should be 4 processes in all, but there were 8
use nix::unistd::{ForkResult, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for number in 1..=3 {
        // SAFETY: this program has one thread.
        if let ForkResult::Child = unsafe { fork() }? {
            println!("child {number}");
        }
    }
    Ok(())
}
