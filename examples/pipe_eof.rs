//! The end of file that never comes: the reader itself holds
//! the last writer.
//!
//!     cargo run --example pipe_eof
//!
//! Expect: hangs

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::io::{Read, Write, pipe};

fn main() -> Result<(), Box<dyn Error>> {
    println!("The child closes its copy of the writer:");
    send_hello(true)?;
    println!("The child keeps it:");
    send_hello(false)?;
    Ok(())
}

// ANCHOR: send_hello
fn send_hello(close: bool) -> Result<(), Box<dyn Error>> {
    let (mut reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let _kept = if close {
                drop(writer);
                None
            } else {
                Some(writer)
            };
            let mut byte = [0];
            while reader.read(&mut byte)? == 1 {
                println!("  read: {}", byte[0] as char);
            }
            println!("  the end of file");
            std::process::exit(0);
        }
        ForkResult::Parent { child } => {
            drop(reader);
            writer.write_all(b"hi")?;
            drop(writer);
            waitpid(child, None)?;
        }
    }
    Ok(())
}
// ANCHOR_END: send_hello
