//! The parent passes each of its arguments to a child, as a
//! line in a pipe. The child counts the lines and prints:
//! "received 3 lines".
//!
//! As it is given, the child never prints, and the program
//! never ends: Ctrl-C stops it. Mend it, and check it:
//!
//!     cargo exercise pipe_owner
//!
//! To run it without a check:
//!
//!     cargo run -p exercises --bin pipe_owner -- one two three

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write, pipe};

fn main() -> Result<(), Box<dyn Error>> {
    let (reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let lines = BufReader::new(reader).lines().count();
            println!("received {lines} lines");
        }
        ForkResult::Parent { child } => {
            for argument in env::args().skip(1) {
                writeln!(writer, "{argument}")?;
            }
            waitpid(child, None)?;
        }
    }
    Ok(())
}
