//! An event that is set and cleared at once. A waiter that does
//! not run in between does not see it.
//!
//!     cargo run --example sync_event_clear

use multiprocessing::{Event, Process};
use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::{fs, time::Duration};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let event = Event::new()?;
    let waiter = Process::spawn(
        |event: Event| event.wait(),
        event.clone(),
    )?;
    let pid = Pid::from_raw(waiter.pid().try_into()?);
    kill(pid, SIGSTOP)?; // as a busy machine may do
    while !is_stopped(pid) {}
    event.set();
    event.clear();
    kill(pid, SIGCONT)?;
    match waiter.wait_timeout(Duration::from_millis(500)) {
        true => println!("The waiter has seen it."),
        false => println!("The waiter waits on."),
    }
    event.set();
    waiter.join()?;
    println!("Now it has seen it.");
    Ok(())
}

fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.contains(") T "))
}
