//! The states of a process, seen from outside.
//!
//!     cargo run --example processes_states

use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pause};
use std::error::Error;
use std::{fs, hint, process, thread};

// ANCHOR: main
fn main() -> Result<(), Box<dyn Error>> {
    let looping = child(|| while hint::black_box(true) {})?;
    show("It counts in a loop", looping)?;

    let waiting = child(pause)?;
    while state(waiting)?.starts_with('R') {
        thread::yield_now(); // not yet in its `pause`
    }
    show("It waits for a signal", waiting)?;

    let stopped = child(stop)?;
    let keep = WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(stopped), WaitPidFlag::WSTOPPED | keep)?;
    show("It was stopped", stopped)?;

    let ended = child(|| ())?;
    waitid(Id::Pid(ended), WaitPidFlag::WEXITED | keep)?;
    show("It has ended", ended)?;

    for pid in [looping, waiting, stopped, ended] {
        kill(pid, Signal::SIGKILL)?;
        waitpid(pid, None)?;
    }
    Ok(())
}
// ANCHOR_END: main

fn child(work: fn()) -> nix::Result<Pid> {
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            work();
            process::exit(0)
        }
        ForkResult::Parent { child } => Ok(child),
    }
}

fn stop() {
    let _ = raise(Signal::SIGSTOP);
}

fn show(what: &str, pid: Pid) -> Result<(), Box<dyn Error>> {
    println!("{what}: {}", state(pid)?);
    Ok(())
}

/// A line of proc_pid_status(5): `State:  S (sleeping)`.
fn state(pid: Pid) -> Result<String, Box<dyn Error>> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(path)?;
    let mut lines = status.lines();
    let state = lines.find_map(|l| l.strip_prefix("State:"));
    Ok(state.ok_or("no state")?.trim().to_string())
}
