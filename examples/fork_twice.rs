//! Two calls of fork: how many lines?
//!
//!     cargo run --example fork_twice

use nix::errno::Errno;
use nix::sys::wait::wait;
use nix::unistd::fork;

fn main() -> nix::Result<()> {
    // SAFETY: this program has one thread.
    unsafe { fork() }?;
    // SAFETY: and so has its child.
    unsafe { fork() }?;
    println!("Hello");
    wait_for_children()
}

fn wait_for_children() -> nix::Result<()> {
    loop {
        match wait() {
            Ok(_) => continue,
            Err(Errno::ECHILD) => return Ok(()), // no more
            Err(error) => return Err(error),
        }
    }
}
