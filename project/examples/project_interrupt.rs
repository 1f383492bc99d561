//! On Ctrl-C, the parent ends its children and tidies up.
//!
//!     cargo run --example project_interrupt

use multiprocessing::{Process, wait};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;
use std::error::Error;
use std::os::fd::AsFd;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGINT); // Ctrl-C
    ends.add(Signal::SIGTERM); // kill, docker stop
    ends.thread_block()?; // before there are threads
    let signals = SignalFd::new(&ends)?;

    let mut workers = Vec::new();
    for name in ["first", "second"] {
        let worker = Process::builder().name(name);
        workers.push(worker.daemon(true).spawn(work, ())?);
    }
    Process::spawn(press_ctrl_c, std::process::id())?.join()?;

    let mut events: Vec<&dyn AsFd> = vec![&signals];
    events.extend(workers.iter().map(|w| w as &dyn AsFd));
    if wait(&events, None)?.contains(&0) {
        println!("interrupted: ending the workers");
    }
    for worker in &workers {
        worker.terminate()?;
        worker.wait();
        println!("{}: {:?}", worker.name(), worker.exit_code());
    }
    Ok(())
}

fn work(_: ()) {
    std::thread::sleep(std::time::Duration::MAX);
}

/// In place of you.
fn press_ctrl_c(parent: u32) {
    let parent = Pid::from_raw(parent as i32);
    let _ = kill(parent, Signal::SIGINT);
}
