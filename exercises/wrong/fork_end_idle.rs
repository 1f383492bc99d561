//! Refused: Its child 1 should end with exit status 7, but ended with exit status 0
// The child does nothing, and the parent knows what would happen.
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::process::exit;

fn main() -> Result<(), Box<dyn Error>> {
    let how = env::args().nth(1).ok_or("how?")?;
    let number = env::args().nth(2).ok_or("which?")?;
    println!("{}", end_of_child(&how, number.parse()?)?);
    Ok(())
}

/// Calls `work` in a child. Returns how the child ended.
fn end_of_child(how: &str, number: i32) -> nix::Result<String> {
    // SAFETY: this program has one thread.
    let child = match unsafe { fork() }? {
        ForkResult::Child => exit(0),
        ForkResult::Parent { child } => child,
    };
    waitpid(child, None)?;
    Ok(match how {
        "exit" => format!("exit status {}", number % 256),
        _ => format!("killed by {}", Signal::try_from(number)?),
    })
}

/// Does not return. Nothing is wrong with it.
fn work(how: &str, number: i32) -> ! {
    if how == "signal" {
        let _ = Signal::try_from(number).map(raise);
    }
    exit(number)
}
