//! Three tasks begin together. Their results come one by one,
//! as the tasks end.
//!
//!     cargo run --example pool_imap_unordered
//!
//! Expect: durations

use multiprocessing::{Barrier, Error, Pool};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let workers = Barrier::new(3)?;
    let builder = Pool::builder().workers(3);
    let pool = builder.initializer(meet, workers).build()?;
    let start = Instant::now();
    // ANCHOR: imap_unordered
    for tenths in pool.imap_unordered(work, [1, 5, 3]) {
        let time = start.elapsed().as_secs_f64();
        println!("Task {}: after {time:.1} s", tenths?);
    }
    // ANCHOR_END: imap_unordered
    Ok(())
}

/// No worker begins before all three have started.
fn meet(workers: Barrier) {
    workers.wait().expect("all workers come");
}

fn work(tenths: u64) -> u64 {
    sleep(Duration::from_millis(100 * tenths));
    tenths
}
