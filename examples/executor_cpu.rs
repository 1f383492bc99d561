//! Tasks that compute, by one thread, three threads and three
//! processes.
//!
//!     cargo run --example executor_cpu
//!
//! Expect: durations

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, ThreadPoolExecutor,
};
use std::time::Instant;

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
    let numbers = executor.map(fibonacci, 30..=36);
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{workers}: {seconds:.2} s");
    assert_eq!(numbers[0], 832040); // in order
    Ok(())
}

/// As slow as can be, on purpose.
fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}
