//! The same by hand: a pipe, a fork, and a length before each
//! message, as a pipe knows of bytes only.
//!
//!     cargo run --example pipe_nix

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, pipe};
use std::error::Error;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let (reader, writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(writer); // or the end would never come
            receive(File::from(reader))?;
        }
        ForkResult::Parent { child } => {
            drop(reader);
            let mut writer = File::from(writer);
            for number in 0..5 {
                send(&mut writer, &format!("msg {number}"))?;
            }
            drop(writer); // the end
            waitpid(child, None)?;
        }
    }
    Ok(())
}

fn send(writer: &mut File, text: &str) -> io::Result<()> {
    let length = text.len() as u32;
    writer.write_all(&length.to_le_bytes())?;
    writer.write_all(text.as_bytes())
}

fn receive(mut reader: File) -> Result<(), Box<dyn Error>> {
    let mut length = [0; 4];
    loop {
        match reader.read_exact(&mut length) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                println!("Child process: the end");
                return Ok(());
            }
            result => result?,
        }
        let length = u32::from_le_bytes(length) as usize;
        let mut text = vec![0; length];
        reader.read_exact(&mut text)?;
        let text = String::from_utf8(text)?;
        println!("Child process received msg: {text}");
    }
}
