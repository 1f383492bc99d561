//! Four workers, and a library that starts a thread for each
//! core, in each worker. A variable tells it how many.
//!
//!     cargo run --example pool_oversubscribed

use multiprocessing::{Barrier, Error, Pool};
use std::{env, num::NonZero, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let threads = start(Pool::builder().workers(4).build()?)?;
    println!("{} threads for each core", threads / cores());
    // ANCHOR: env
    let builder = Pool::builder().workers(4);
    let pool = builder.env("RAYON_NUM_THREADS", "1").build()?;
    println!("{} threads in all", start(pool)?);
    // ANCHOR_END: env
    Ok(())
}

/// Each worker does one of four tasks. How many threads start?
fn start(pool: Pool) -> Result<usize, Error> {
    let barrier = Barrier::new(4)?;
    let tasks = vec![barrier; 4];
    Ok(pool.map(library, tasks)?.into_iter().sum())
}

// ANCHOR: library
fn library(others: Barrier) -> usize {
    let told = env::var("RAYON_NUM_THREADS").ok();
    let told = told.and_then(|number| number.parse().ok());
    let threads = told.unwrap_or_else(cores);
    let end = std::sync::Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| end.wait());
        }
        others.wait().expect("four tasks run at once");
        end.wait();
    });
    threads
}
// ANCHOR_END: library

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
