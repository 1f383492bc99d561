//! Each process closes the end that it does not use, and the
//! parent closes the writer when it has written everything.

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
            drop(writer); // the child's copy
            let lines = BufReader::new(reader).lines().count();
            println!("received {lines} lines");
        }
        ForkResult::Parent { child } => {
            drop(reader);
            for argument in env::args().skip(1) {
                writeln!(writer, "{argument}")?;
            }
            drop(writer); // the last one: the end
            waitpid(child, None)?;
        }
    }
    Ok(())
}
