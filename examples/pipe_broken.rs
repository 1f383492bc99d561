//! A write to a pipe that nobody can read any more: an error,
//! or SIGPIPE?
//!
//!     cargo run --example pipe_broken

use multiprocessing::{Error, Process};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{pipe, write};

fn main() -> Result<(), Error> {
    println!("as the program started:");
    write_in_child(false)?;
    println!("as in a C program:");
    write_in_child(true)
}

fn write_in_child(as_in_c: bool) -> Result<(), Error> {
    // SAFETY: this program has one thread.
    let child =
        unsafe { Process::fork(|| write_to_nobody(as_in_c)) }?;
    child.wait();
    let code = child.exit_code().expect("it has ended");
    println!("  exit code: {code}");
    Ok(())
}

fn write_to_nobody(as_in_c: bool) {
    if as_in_c {
        // SAFETY: the default action is no function of ours.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }
            .expect("a signal");
    }
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let error = write(writer, b"x").expect_err("no reader");
    println!("  error: {error:?}");
}
