//! The tasks count in a global variable.
//!
//!     cargo run --example executor_static

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, ThreadPoolExecutor,
};
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    run("threads", &ThreadPoolExecutor::new(2)?)?;
    run("processes", &ProcessPoolExecutor::new(2)?)
}

// ANCHOR: count
fn run(
    what: &str,
    executor: &impl Executor,
) -> Result<(), Error> {
    COUNT.store(0, Ordering::Relaxed);
    let results = executor.map(count, 0..5);
    results.collect::<Result<Vec<_>, _>>()?;
    println!("{what}: {}", COUNT.load(Ordering::Relaxed));
    Ok(())
}

fn count(_: u32) {
    COUNT.fetch_add(1, Ordering::Relaxed);
}
// ANCHOR_END: count
