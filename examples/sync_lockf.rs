//! Two kinds of file locks. The file is opened once more and
//! closed: which lock is lost?
//!
//!     cargo run --example sync_lockf

use nix::fcntl::{FcntlArg::F_SETLK, fcntl};
use nix::libc::{F_WRLCK, flock};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::fs::{File, remove_file};
use std::{env::temp_dir, io, process::id};

fn main() -> io::Result<()> {
    let path = temp_dir().join(format!("sync_lockf-{}", id()));
    let path = path.to_string_lossy();
    let file = File::create(&*path)?;
    assert!(try_flock(&file) && try_lockf(&file));
    show("Locked", &path)?;
    drop(File::open(&*path)?); // a library may do this
    show("Opened and closed", &path)?;
    remove_file(&*path)
}

/// Another process tries to lock the file.
fn show(when: &str, path: &str) -> io::Result<()> {
    // SAFETY: this program has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }? {
        waitpid(child, None)?;
        return Ok(());
    }
    let file = File::create(path)?;
    let free = |yes| if yes { "free" } else { "held" };
    let flock = free(try_flock(&file));
    let lockf = free(try_lockf(&file));
    println!("{when}: flock {flock}, lockf {lockf}");
    std::process::exit(0)
}

fn try_flock(file: &File) -> bool {
    file.try_lock().is_ok()
}

fn try_lockf(file: &File) -> bool {
    // SAFETY: zeroes are a lock of the whole file.
    let mut lock: flock = unsafe { std::mem::zeroed() };
    lock.l_type = F_WRLCK as i16;
    fcntl(file, F_SETLK(&lock)).is_ok()
}
