//! A child that has ended stays in the process table until
//! its parent has asked how it ended.
//!
//!     cargo run --example fork_zombie

use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::process::exit;
use std::{fs, io};

fn main() -> nix::Result<()> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => exit(7),
        ForkResult::Parent { child } => parent(child),
    }
}

// ANCHOR: parent
fn parent(child: Pid) -> nix::Result<()> {
    // Waits for the end, but leaves the zombie (WNOWAIT).
    let end = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(child), end)?;
    println!("Child pid {child} has ended.");
    show(child);
    println!("waitpid: {:?}", waitpid(child, None)?);
    show(child);
    Ok(())
}
// ANCHOR_END: parent

fn show(child: Pid) {
    match state(child) {
        Ok(state) => println!("State of pid {child}: {state}"),
        Err(error) => println!("State of pid {child}: {error}"),
    }
}

/// The line `State:` of proc_pid_status(5).
fn state(child: Pid) -> io::Result<String> {
    let status =
        fs::read_to_string(format!("/proc/{child}/status"))?;
    let state = status
        .lines()
        .find_map(|line| line.strip_prefix("State:"));
    Ok(state.unwrap_or("unknown").trim().to_string())
}
