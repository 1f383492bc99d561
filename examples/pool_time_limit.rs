//! Tasks that never end: one meets a time limit, one is
//! cancelled. The others get their results.
//!
//!     cargo run --example pool_time_limit

use multiprocessing::{Error, Pool};
use std::thread::{park, yield_now};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    // ANCHOR: limit
    let limit = Duration::from_millis(500);
    let tasks = pool.tasks().time_limit(limit);
    for result in tasks.imap(work, [1, 0, 2]) {
        println!("{result:?}");
    }
    // ANCHOR_END: limit
    // ANCHOR: cancel
    let task = pool.apply_async(work, 0);
    while !task.is_running() {
        yield_now();
    }
    task.cancel();
    println!("{:?}", task.get());
    // ANCHOR_END: cancel
    println!("{:?}", pool.apply(work, 3));
    Ok(())
}

/// Work for 0 never ends.
fn work(number: u64) -> u64 {
    if number == 0 {
        loop {
            park();
        }
    }
    number * number
}
