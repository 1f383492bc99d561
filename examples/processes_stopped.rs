//! A stopped process does nothing, and so it does not end.
//!
//!     cargo run --example processes_stopped

use multiprocessing::{Error, Process};
use nix::libc::{SIGCONT, SIGSTOP};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let p = Process::spawn(work, ())?;
    p.signal(SIGSTOP)?;
    wait_for_stop(p.pid());
    p.terminate()?; // SIGTERM
    let ended = p.wait_timeout(Duration::from_millis(100));
    println!("Stopped: ended by SIGTERM = {ended}");
    p.signal(SIGCONT)?;
    p.wait();
    let ended = p.exit_code() == Some(-15);
    println!("Continued: ended by SIGTERM = {ended}");
    Ok(())
}

fn wait_for_stop(pid: u32) {
    let id = Id::Pid(Pid::from_raw(pid as i32));
    let stops = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOWAIT;
    waitid(id, stops).expect("it is our child");
}

fn work(_: ()) {
    thread::sleep(Duration::MAX);
}
