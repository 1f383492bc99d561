//! Refused: printed
//! Refused: exit status 0
// The status comes back by way of memory, which is a copy.
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::cell::Cell;
use std::env;
use std::error::Error;
use std::process::exit;

fn end_of_child(how: &str, number: i32) -> nix::Result<String> {
    let status = Cell::new(0);
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            status.set(number);
            work(how, number)
        }
        ForkResult::Parent { child } => drop(waitpid(child, None)?),
    }
    Ok(format!("exit status {}", status.get()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let how = env::args().nth(1).ok_or("how?")?;
    let number = env::args().nth(2).ok_or("which?")?;
    println!("{}", end_of_child(&how, number.parse()?)?);
    Ok(())
}

fn work(how: &str, number: i32) -> ! {
    if how == "signal" {
        let _ = Signal::try_from(number).map(raise);
    }
    exit(number)
}
