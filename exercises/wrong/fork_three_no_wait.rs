//! Refused: Your program should start 3 children, but it started
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
