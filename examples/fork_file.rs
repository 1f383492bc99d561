//! Parent and child have a descriptor each, and one position
//! in the file. Closing closes one descriptor.
//!
//!     cargo run --example fork_file

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::fs::{File, remove_file};
use std::io::{self, Read, Seek, Write};
use std::{env, process};

fn main() -> io::Result<()> {
    let mut file = open_file()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            read_word("Child", &mut file)?;
            drop(file); // closes the child's descriptor
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            read_word("Parent", &mut file)?;
        }
    }
    Ok(())
}

fn read_word(who: &str, file: &mut File) -> io::Result<()> {
    let mut word = [0; 3];
    file.read_exact(&mut word)?;
    println!("{who}: {}", String::from_utf8_lossy(&word));
    Ok(())
}

/// A file without a name, gone when it is closed.
fn open_file() -> io::Result<File> {
    let name = format!("fork_file-{}", process::id());
    let path = env::temp_dir().join(name);
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let mut file = options.open(&path)?;
    remove_file(path)?;
    file.write_all(b"onetwo")?;
    file.rewind()?;
    Ok(file)
}
