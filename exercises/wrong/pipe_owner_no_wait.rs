//! Refused: Its child 1 was still running when your program ended
//! Refused: Its child 1 was a zombie when your program ended

use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write, pipe};

fn main() -> Result<(), Box<dyn Error>> {
    let (reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(writer);
            let lines = BufReader::new(reader).lines().count();
            println!("received {lines} lines");
        }
        ForkResult::Parent { .. } => {
            for argument in env::args().skip(1) {
                writeln!(writer, "{argument}")?;
            }
        }
    }
    Ok(())
}
