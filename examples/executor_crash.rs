//! A worker dies in the second of three tasks. What is left?
//!
//!     cargo run --example executor_crash

use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use nix::sys::signal::{Signal, raise};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let executor = ProcessPoolExecutor::new(1)?;
    // ANCHOR: results
    let tasks = [1, 2, 3].map(|n| executor.submit(square, n));
    for task in tasks {
        match task.get() {
            Ok(square) => println!("{square}"),
            Err(Error::WorkerDied { .. }) => println!("lost"),
            Err(other) => return Err(other),
        }
    }
    let task = executor.submit(square, 4);
    println!("a new task: {}", task.get()?);
    // ANCHOR_END: results
    Ok(())
}

fn square(number: u64) -> u64 {
    if number == 2 {
        // As the kernel does when no memory is left.
        raise(Signal::SIGKILL).expect("it never returns");
    }
    number * number
}
