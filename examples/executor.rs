//! One function, two executors: threads or processes.
//!
//!     cargo run --example executor

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, ThreadPoolExecutor,
};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    compute(&ThreadPoolExecutor::new(3)?)?;
    compute(&ProcessPoolExecutor::new(3)?)?;
    Ok(())
}

fn compute(executor: &impl Executor) -> Result<(), Error> {
    let task = executor.submit(square, 12);
    for result in executor.map(square, [1, 2, 3]) {
        println!("map: {}", result?);
    }
    println!("submit: {}", task.get()?);
    Ok(())
}

fn square(number: u64) -> u64 {
    number * number
}
