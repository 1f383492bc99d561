//! The states of a process, seen from outside.
//!
//!     cargo run --example processes_states

use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pause};
use std::{fs, hint, io, process, thread};

// ANCHOR: main
fn main() -> io::Result<()> {
    let looping = child(|| while hint::black_box(true) {})?;
    println!("It counts in a loop: {}", state(looping)?);
    let waiting = child(pause)?;
    while state(waiting)?.starts_with('R') {
        thread::yield_now(); // not yet in its `pause`
    }
    println!("It waits for a signal: {}", state(waiting)?);
    let stopped = child(|| _ = raise(Signal::SIGSTOP))?;
    let keep = WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(stopped), WaitPidFlag::WSTOPPED | keep)?;
    println!("It was stopped: {}", state(stopped)?);
    let ended = child(|| ())?;
    waitid(Id::Pid(ended), WaitPidFlag::WEXITED | keep)?;
    println!("It has ended: {}", state(ended)?);

    for pid in [looping, waiting, stopped, ended] {
        kill(pid, Signal::SIGKILL)?;
        waitpid(pid, None)?;
    }
    Ok(())
}
// ANCHOR_END: main

fn child(work: fn()) -> nix::Result<Pid> {
    // SAFETY: this program has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }? {
        return Ok(child);
    }
    work();
    process::exit(0)
}

/// A line of proc_pid_status(5): `State:  S (sleeping)`.
fn state(pid: Pid) -> io::Result<String> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(path)?;
    let state = status.lines().find(|l| l.starts_with("State"));
    Ok(state.unwrap_or_default().replace("State:\t", ""))
}
