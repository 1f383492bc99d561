//! A signal handler sets the event that its own process waits
//! for. Does the wait end?
//!
//!     cargo run --example sync_event_handler

use multiprocessing::{Event, Process, Sender, pipe_one_way};
use nix::sys::signal::{SigHandler, Signal, signal};
use std::{error::Error, fs, sync::OnceLock, time::Duration};

static STOP: OnceLock<Event> = OnceLock::new();

fn main() -> Result<(), Box<dyn Error>> {
    STOP.get_or_init(|| Event::new().expect("an event"));
    let (receiver, ready) = pipe_one_way()?;
    // SAFETY: this program has one thread.
    let worker = unsafe { Process::fork(|| work(&ready)) }?;
    receiver.recv()?;
    while !is_asleep(worker.pid()) {}
    worker.terminate()?; // sends SIGTERM
    let ended = worker.wait_timeout(Duration::from_secs(10));
    let ended = if ended { "ends" } else { "hangs" };
    println!("The worker {ended}.");
    worker.kill()?;
    Ok(())
}

fn work(ready: &Sender<()>) {
    let handler = SigHandler::Handler(on_term);
    // SAFETY: the handler makes one system call and takes no
    // lock.
    unsafe { signal(Signal::SIGTERM, handler) }
        .expect("signal");
    ready.send(()).expect("the parent receives");
    STOP.get().expect("it was set").wait();
}

extern "C" fn on_term(_number: i32) {
    if let Some(stop) = STOP.get() {
        stop.set();
    }
}

fn is_asleep(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.split(' ').nth(2) == Some("S"))
}
