//! Refused: A child should print “received 3 lines”, but it was printed by your program
// The parent knows how many lines it would write.
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write, pipe};

fn main() -> Result<(), Box<dyn Error>> {
    let (reader, writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(writer); // the child's copy
            drop(reader);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("received {} lines", env::args().count() - 1);
        }
    }
    Ok(())
}
