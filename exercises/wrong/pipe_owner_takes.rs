//! Refused: The parent was killed, and then the child should see the end
// It knows how many lines there are, and does not wait for the end.
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
            let lines = BufReader::new(reader)
                .lines()
                .take(env::args().count() - 1)
                .count();
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
