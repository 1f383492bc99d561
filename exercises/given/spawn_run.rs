//! This program should say once that a run starts. A run has a
//! number: the id of the first process. Three spawned children
//! each say to which run they belong:
//!
//!     run 4711 starts
//!     run 4711: task 1 in process 4712
//!     run 4711: task 2 in process 4713
//!     run 4711: task 3 in process 4714
//!
//! As it is given, there seem to be four runs. Mend it, and
//! check it:
//!
//!     cargo exercise spawn_run

use multiprocessing::{Error, Process};
use std::process::id;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static RUN: AtomicU32 = AtomicU32::new(0);

fn main() -> Result<(), Error> {
    RUN.store(id(), Relaxed);
    println!("run {} starts", RUN.load(Relaxed));
    multiprocessing::init();
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
