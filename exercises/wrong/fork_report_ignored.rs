//! Refused: 0 failed

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::error::Error;
use std::process::exit;
use std::{env, num};

fn main() -> Result<(), Box<dyn Error>> {
    let mut children = Vec::new();
    for text in env::args().skip(1) {
        match start(&text) {
            Ok(child) => children.push(child),
            Err(error) => eprintln!("not started: {error}"),
        }
    }
    let mut failed = 0;
    for child in children {
        let succeeded = WaitStatus::Exited(child, 0);
        failed += u32::from(waitpid(child, None)? != succeeded);
    }
    println!("{failed} failed");
    Ok(())
}

fn start(text: &str) -> Result<Pid, Box<dyn Error>> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            _ = double(text);
            exit(0)
        }
        ForkResult::Parent { child } => Ok(child),
    }
}

fn double(text: &str) -> Result<(), num::ParseIntError> {
    let number: u64 = text.parse()?;
    println!("{}", 2 * number);
    Ok(())
}
