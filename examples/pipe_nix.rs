//! The same by hand, with its length before each message.
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
            receive(reader)?;
        }
        ForkResult::Parent { child } => {
            drop(reader);
            for number in 0..5 {
                send(&mut writer, &format!("msg {number}"))?;
            }
            drop(writer); // the end
            waitpid(child, None)?;
        }
    }
    Ok(())
}

fn send(writer: &mut impl Write, text: &str) -> io::Result<()> {
    let length = (text.len() as u32).to_le_bytes();
    writer.write_all(&[&length, text.as_bytes()].concat())
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
        let bytes = u32::from_le_bytes(length) as usize;
        let mut text = vec![0; bytes];
        reader.read_exact(&mut text)?;
        let text = text.escape_ascii();
        println!("Child process received msg: {text}");
    }
}
