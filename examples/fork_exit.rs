//! `exit` in the child runs what the parent had registered
//! for its own exit; `_exit` does not.
//!
//!     cargo run --example fork_exit

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::process::{exit, id};

fn main() -> nix::Result<()> {
    println!("Parent: process {}", id());
    // SAFETY: `at_exit` may run at the exit.
    unsafe { libc::atexit(at_exit) };
    end_child("exit", |status| exit(status))?;
    // SAFETY: it runs no code of this program.
    end_child("_exit", |status| unsafe { libc::_exit(status) })
}

fn end_child(name: &str, end: fn(i32) -> !) -> nix::Result<()> {
    println!("The child ends by {name}.");
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => end(0),
        ForkResult::Parent { child } => waitpid(child, None)?,
    };
    Ok(())
}

fn clean_up() {
    println!("Process {} removes the files.", id());
}

extern "C" fn at_exit() {
    clean_up();
}
