//! What is dropped after a fork is dropped twice: here the
//! child removes a file that the parent still needs.
//!
//!     cargo run --example fork_drop

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::path::PathBuf;
use std::process::exit;
use std::{env, fs, io, process};

struct TempFile(PathBuf);

impl TempFile {
    fn new() -> io::Result<Self> {
        let name = format!("fork_drop-{}", process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, "the parent needs this")?;
        Ok(TempFile(path))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
    tell("exits", |file| {
        let _file = file; // `exit` runs no destructor
        exit(0)
    })?;
    tell("drops", drop)
}

fn tell(
    what: &str,
    child_does: fn(TempFile),
) -> Result<(), Box<dyn Error>> {
    let file = TempFile::new()?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            child_does(file);
            exit(0)
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            let there = file.0.exists();
            println!(
                "The child {what}; the file is there: {there}"
            );
            Ok(())
        }
    }
}
// ANCHOR_END: main
