//! Three processes, and the one that ends first.
//!
//!     cargo run --example process_first

use multiprocessing::{Error, Process, wait};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut children = Vec::new();
    for number in 0..3 {
        children.push(Process::spawn(work, number)?);
    }
    let ended = wait(&children, None)?;
    println!("These have ended: {ended:?}");
    for child in children {
        child.kill()?;
        child.wait();
    }
    Ok(())
}

fn work(number: u32) {
    if number != 1 {
        thread::sleep(Duration::MAX);
    }
}
