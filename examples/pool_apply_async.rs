//! `apply_async` does not wait, but `get` does: first give all
//! tasks, then get the results.
//!
//!     cargo run --example pool_apply_async
//!
//! Expect: durations

use multiprocessing::{Error, Pool};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(3)?;
    // ANCHOR: one_by_one
    let (start, mut sum) = (Instant::now(), 0);
    for number in [1, 2, 3] {
        sum += pool.apply_async(square, number).get()?;
    }
    tell("One by one", sum, start);
    // ANCHOR_END: one_by_one
    // ANCHOR: together
    let (start, mut sum) = (Instant::now(), 0);
    let give = |number| pool.apply_async(square, number);
    for task in [1, 2, 3].map(give) {
        sum += task.get()?;
    }
    tell("Together", sum, start);
    // ANCHOR_END: together
    // ANCHOR: timeout
    let task = pool.apply_async(square, 600);
    match task.get_timeout(Duration::from_millis(100)) {
        Err(Error::TimedOut) => {
            println!("No result after 0.1 s");
        }
        square => println!("{}", square?),
    }
    // ANCHOR_END: timeout
    Ok(())
}

fn tell(how: &str, sum: u64, start: Instant) {
    let time = start.elapsed().as_secs_f64();
    println!("{how}: {sum} after {time:.1} s");
}

fn square(number: u64) -> u64 {
    sleep(Duration::from_millis(100 * number));
    number * number
}
