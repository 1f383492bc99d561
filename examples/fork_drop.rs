//! What is dropped after a fork is dropped twice: here the
//! child removes a file that the parent still needs.
//!
//!     cargo run --example fork_drop

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::path::PathBuf;
use std::process::exit;
use std::{env, fs, io, process};

struct TempFile(PathBuf);

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

// ANCHOR: main
fn main() -> io::Result<()> {
    tell("calls _exit", |_file| {
        // SAFETY: it runs no code of this program.
        unsafe { libc::_exit(0) }
    })?;
    tell("drops its copy", drop)
}

fn tell(what: &str, work: fn(TempFile)) -> io::Result<()> {
    let name = format!("fork_drop-{}", process::id());
    let file = TempFile(env::temp_dir().join(name));
    fs::write(&file.0, "the parent needs this")?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            work(file);
            exit(0)
        }
        ForkResult::Parent { child } => waitpid(child, None)?,
    };
    let there = file.0.exists();
    println!("The child {what}; the file is there: {there}");
    Ok(())
}
// ANCHOR_END: main
