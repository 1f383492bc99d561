//! Refused: run 0: task 1

use multiprocessing::{Error, Process};
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static RUN: AtomicU32 = AtomicU32::new(0);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    RUN.store(id(), Relaxed);
    println!("run {} starts", RUN.load(Relaxed));
    let mut children = Vec::new();
    for task in 1..=3 {
        children.push(Process::spawn(work, task)?);
    }
    for child in children {
        child.join()?;
    }
    Ok(())
}

fn work(task: u32) {
    let run = RUN.load(Relaxed);
    println!("run {run}: task {task} in process {}", id());
}
