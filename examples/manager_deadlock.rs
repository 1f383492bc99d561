//! A function that runs in an object calls that object: it
//! would wait for itself.
//!
//!     cargo run --example manager_deadlock

use multiprocessing::{Error, Manager, Shared};

// ANCHOR: add
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let counter = manager.share(0)?;
    println!("{}", counter.call(add, 1)?);
    println!("{:?}", counter.call(add_two, counter.clone())?);
    Ok(())
}

fn add(counter: &mut u32, number: u32) -> u32 {
    *counter += number;
    *counter
}

fn add_two(
    _: &mut u32,
    myself: Shared<u32>,
) -> Result<u32, Error> {
    myself.call(add, 2) // would wait for this call
}
// ANCHOR_END: add
