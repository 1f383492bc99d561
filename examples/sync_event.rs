//! Two runners wait for the start.
//!
//!     cargo run --example sync_event
//!
//! Expect: lines 3-4 in any order

use multiprocessing::{Error, Event, Process};
use std::thread::sleep;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let start = Event::new()?;
    let p1 = Process::spawn(run, (1, start.clone()))?;
    let p2 = Process::spawn(run, (2, start.clone()))?;
    println!("Ready?");
    sleep(Duration::from_millis(300));
    println!("Go!");
    start.set();
    p1.join()?;
    p2.join()?;
    Ok(())
}

fn run((number, start): (u32, Event)) {
    start.wait();
    println!("Runner {number} runs.");
}
