//! A function that runs in an object calls that object.
//!
//!     cargo run --example manager_deadlock
//!
//! Expect: hangs

use multiprocessing::{Error, Manager, Shared};

// ANCHOR: add
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let counter = manager.share(0)?;
    println!("{}", counter.call(add, 1)?);
    println!("{}", counter.call(add_two, counter.clone())?);
    Ok(())
}

fn add(counter: &mut u32, number: u32) -> u32 {
    *counter += number;
    *counter
}

fn add_two(_: &mut u32, myself: Shared<u32>) -> u32 {
    myself.call(add, 2).unwrap_or(0) // waits for this call
}
// ANCHOR_END: add
