//! Thirty tasks that wait, by one thread, three threads and
//! three processes.
//!
//!     cargo run --example executor_io
//!
//! Expect: durations

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, ThreadPoolExecutor,
};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    measure("1 thread", ThreadPoolExecutor::new(1)?)?;
    measure("3 threads", ThreadPoolExecutor::new(3)?)?;
    measure("3 processes", ProcessPoolExecutor::new(3)?)
}

fn measure(
    workers: &str,
    executor: impl Executor,
) -> Result<(), Error> {
    let start = Instant::now();
    let pauses = executor.map(pause, [30; 30]);
    let pauses = pauses.collect::<Result<Vec<_>, _>>()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{workers}: {seconds:.2} s");
    assert_eq!(pauses, [30; 30]);
    Ok(())
}

// ANCHOR: pause
/// As a task that waits for a disk or for another machine.
fn pause(milliseconds: u64) -> u64 {
    sleep(Duration::from_millis(milliseconds));
    milliseconds
}
// ANCHOR_END: pause
