//! The same by hand: a pipe, a fork, and a length before each
//! message, as a pipe carries nothing but bytes.
//!
//!     cargo run --example pipe_nix

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::{self, ErrorKind, PipeReader, Read, Write, pipe};

fn main() -> io::Result<()> {
    let (reader, mut writer) = pipe()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            drop(writer); // or the end would never come
            receive(reader)
        }
        ForkResult::Parent { child } => {
            drop(reader);
            for number in 0..5 {
                send(&mut writer, &format!("msg {number}"))?;
            }
            drop(writer); // the end
            waitpid(child, None)?;
            Ok(())
        }
    }
}

fn send(writer: &mut impl Write, text: &str) -> io::Result<()> {
    writer.write_all(&(text.len() as u32).to_le_bytes())?;
    writer.write_all(text.as_bytes())
}

fn receive(mut reader: PipeReader) -> io::Result<()> {
    let mut length = [0; 4];
    loop {
        match reader.read_exact(&mut length) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                println!("Child process: the end");
                return Ok(());
            }
            result => result?,
        }
        let bytes = u32::from_le_bytes(length);
        let mut text = vec![0; bytes as usize];
        reader.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        println!("Child process received msg: {text}");
    }
}
