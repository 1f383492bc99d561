//! The two ways in which a child can end.

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
        ForkResult::Child => work(how, number),
        ForkResult::Parent { child } => child,
    };
    Ok(match waitpid(child, None)? {
        WaitStatus::Exited(_, status) => {
            format!("exit status {status}")
        }
        WaitStatus::Signaled(_, signal, _) => {
            format!("killed by {signal}")
        }
        other => format!("{other:?}"),
    })
}

/// Does not return. Nothing is wrong with it.
fn work(how: &str, number: i32) -> ! {
    if how == "signal" {
        let _ = Signal::try_from(number).map(raise);
    }
    exit(number)
}
