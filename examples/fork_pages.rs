//! Copy on write: a page is copied when it is written to,
//! and not before.
//!
//!     cargo run --example fork_pages

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::{fs, hint};

const KB: usize = 1024;
const MB: usize = 1024 * KB;

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
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

fn show(when: &str) -> Result<(), Box<dyn Error>> {
    let sizes = fs::read_to_string("/proc/self/smaps_rollup")?;
    let shared = megabytes("Shared_Dirty:", &sizes)?;
    let own = megabytes("Private_Dirty:", &sizes)?;
    println!("Child, {when}: {shared} MB shared, {own} MB own");
    Ok(())
}

/// A line of proc_pid_smaps(5): `Shared_Dirty:  65676 kB`.
fn megabytes(
    name: &str,
    sizes: &str,
) -> Result<usize, Box<dyn Error>> {
    let mut lines = sizes.lines();
    let size = lines.find_map(|line| line.strip_prefix(name));
    let size = size.ok_or("not in smaps_rollup")?;
    let kb: usize =
        size.trim_end_matches("kB").trim().parse()?;
    Ok((kb * KB + MB / 2) / MB)
}
