//! Refused: but it was printed by your program
// The parent says what the children should say.
use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for number in 1..=3 {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => std::process::exit(0),
            ForkResult::Parent { .. } => {
                println!("child {number}")
            }
        }
    }
    for _ in 0..3 {
        wait()?;
    }
    Ok(())
}
