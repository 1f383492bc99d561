//! Refused: exit status 143
// As a shell tells it.
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::process::exit;

fn end_of_child(how: &str, number: i32) -> nix::Result<String> {
    // SAFETY: this program has one thread.
    let child = match unsafe { fork() }? {
        ForkResult::Child => work(how, number),
        ForkResult::Parent { child } => child,
    };
    let status = match waitpid(child, None)? {
        WaitStatus::Exited(_, status) => status,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 0,
    };
    Ok(format!("exit status {status}"))
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
