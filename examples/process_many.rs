//! Ten processes at once: start all, then wait for all.
//!
//!     cargo run --example process_many
//!
//! Expect: lines in any order

use multiprocessing::{Error, Process};
use std::os::unix::process::parent_id;
use std::process::id;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut processes = Vec::new();
    for n in 0..10 {
        processes.push(Process::spawn(square, n)?);
    }
    for p in processes {
        p.join()?;
    }
    Ok(())
}

fn square(n: u32) {
    let (child, parent) = (id(), parent_id());
    println!("child id {child}; parent id {parent}; {}", n * n);
}
