//! The same address in two processes is not the same memory.
//!
//!     cargo run --example fork_address

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::ptr;

fn main() -> nix::Result<()> {
    let mut number = 1;
    let address = &raw const number;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            number = 2;
            show("Child", &number, address);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            show("Parent", &number, address);
        }
    }
    Ok(())
}

fn show(who: &str, number: &i32, address: *const i32) {
    let same = ptr::eq(number, address);
    println!("{who}: {number}, at the same address: {same}");
}
