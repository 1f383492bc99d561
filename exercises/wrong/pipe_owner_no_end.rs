//! Refused: received 1 lines

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::io::{Read, Write, pipe};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            // One read, so that it need not wait for the end.
            let mut bytes = [0; 4096];
            let count = reader.read(&mut bytes)?;
            let text = String::from_utf8_lossy(&bytes[..count]);
            println!("received {} lines", text.lines().count());
        }
        ForkResult::Parent { child } => {
            drop(reader);
            for argument in env::args().skip(1) {
                writeln!(writer, "{argument}")?;
            }
            waitpid(child, None)?;
        }
    }
    Ok(())
}
