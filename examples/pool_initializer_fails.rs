//! The initializer ends each worker that starts. What does a
//! task give?
//!
//!     cargo run --example pool_initializer_fails

use multiprocessing::{Error, Pool, RawValue};
use std::{process::exit, sync::atomic::Ordering::SeqCst};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let starts = RawValue::new(0)?;
    // ANCHOR: task
    let builder = Pool::builder().workers(1);
    let builder = builder.initializer(fail, starts.clone());
    let pool = builder.build()?;
    let task = pool.apply_async(square, 12);
    println!("{:?}", task.get());
    // ANCHOR_END: task
    println!("{} workers were started", starts.get());
    Ok(())
}

fn fail(starts: RawValue<u32>) {
    starts.atomic().fetch_add(1, SeqCst);
    exit(1); // no licence, for example
}

fn square(number: u64) -> u64 {
    number * number
}
