//! Copy on write: a page is copied when it is written to,
//! and not before.
//!
//!     cargo run --example fork_pages

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::{fs, hint, io};

const KB: usize = 1024;
const MB: usize = 1024 * KB;

// ANCHOR: main
fn main() -> io::Result<()> {
    let mut memory = vec![1u8; 64 * MB];
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            show("after the fork")?;
            let pages = memory.iter().step_by(4 * KB);
            hint::black_box(pages.max());
            show("after reading all pages")?;
            memory[..16 * MB].fill(2);
            show("after writing a quarter")?;
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            println!("Parent: first byte {}", memory[0]);
        }
    }
    Ok(())
}
// ANCHOR_END: main

fn show(when: &str) -> io::Result<()> {
    let sizes = fs::read_to_string("/proc/self/smaps_rollup")?;
    let [shared, own] = ["Shared_Dirty:", "Private_Dirty:"]
        .map(|name| megabytes(name, &sizes));
    println!("Child, {when}: {shared} MB shared, {own} MB own");
    Ok(())
}

/// A line of proc_pid_smaps(5): `Shared_Dirty:  65676 kB`.
fn megabytes(name: &str, sizes: &str) -> usize {
    let line = sizes.lines().find(|l| l.starts_with(name));
    let kb = line.and_then(|l| l.split(' ').nth_back(1));
    let kb = kb.and_then(|kb| kb.parse::<usize>().ok());
    (kb.expect("a number of kB") * KB + MB / 2) / MB
}
