//! A number that needs no lock: an atomic changes in one step.
//!
//!     cargo run --example shared_memory_atomic

use multiprocessing::{Error, Process, RawValue};
use std::sync::atomic::Ordering::Relaxed;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let number = RawValue::new(0u64)?;
    let p1 = Process::spawn(add, number.clone())?;
    let p2 = Process::spawn(add, number.clone())?;
    p1.join()?;
    p2.join()?;
    println!("{}", number.get());
    Ok(())
}

// ANCHOR: add
fn add(number: RawValue<u64>) {
    for _ in 0..100_000 {
        number.atomic().fetch_add(1, Relaxed);
    }
}
// ANCHOR_END: add
