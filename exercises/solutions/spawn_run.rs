//! What the child needs is an argument.

use multiprocessing::{Error, Process};
use std::process::id;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let run = id();
    println!("run {run} starts");
    let mut children = Vec::new();
    for task in 1..=3 {
        children.push(Process::spawn(work, (run, task))?);
    }
    for child in children {
        child.join()?;
    }
    Ok(())
}

fn work((run, task): (u32, u32)) {
    println!("run {run}: task {task} in process {}", id());
}
