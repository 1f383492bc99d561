//! Ctrl-C reaches every process of the program. Here the
//! parent outlives it and clears up.
//!
//!     cargo run --example process_ctrl_c

use multiprocessing::Process;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::{Pid, getpgrp, setpgid};
use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let ctrl_c = SigSet::from(Signal::SIGINT);
    ctrl_c.thread_block()?; // it waits until we ask for it
    let mut children = Vec::new();
    become_group()?;
    for _ in 0..2 {
        let seconds = Duration::MAX;
        children.push(Process::spawn(sleep, seconds)?);
    }
    killpg(getpgrp(), Signal::SIGINT)?; // as the terminal
    let signal = ctrl_c.wait()?;
    println!("Parent: got {signal}");
    for child in children {
        child.wait();
        let code = child.exit_code().ok_or("unknown")?;
        println!("{}: exit code {code}", child.name());
    }
    Ok(())
}

/// As a shell does it for each command that you type.
fn become_group() -> nix::Result<()> {
    let this = Pid::this();
    setpgid(this, this)
}
