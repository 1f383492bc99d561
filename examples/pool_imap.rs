//! Three tasks begin together. Their results come one by one,
//! in the order of the tasks.
//!
//!     cargo run --example pool_imap
//!
//! Expect: durations

use multiprocessing::{Error, Pool};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(3)?;
    let start = Instant::now();
    // ANCHOR: imap
    for tenths in pool.imap(work, [1, 5, 3]) {
        let time = start.elapsed().as_secs_f64();
        println!("Task {}: after {time:.1} s", tenths?);
    }
    // ANCHOR_END: imap
    Ok(())
}

fn work(tenths: u64) -> u64 {
    sleep(Duration::from_millis(100 * tenths));
    tenths
}
