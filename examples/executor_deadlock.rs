//! A task waits for another task of the same executor, which
//! has one worker.
//!
//!     cargo run --example executor_deadlock

use multiprocessing::{Error, Executor, ThreadPoolExecutor};
use std::sync::OnceLock;
use std::time::Duration;

static EXECUTOR: OnceLock<ThreadPoolExecutor> = OnceLock::new();

fn main() -> Result<(), Error> {
    EXECUTOR.get_or_init(|| {
        ThreadPoolExecutor::new(1).expect("there is a thread")
    });
    println!("{}", executor().submit(outer, ()).get()?);
    println!("{}", executor().submit(inner, 4).get()?);
    Ok(())
}

fn executor() -> &'static ThreadPoolExecutor {
    EXECUTOR.get().expect("main has made it")
}

// ANCHOR: tasks
fn outer(_: ()) -> String {
    let task = executor().submit(inner, 3);
    // Without the time limit, this would wait for ever.
    match task.get_timeout(Duration::from_millis(200)) {
        Ok(square) => square.to_string(),
        Err(_) => "nobody is free to do the task".to_string(),
    }
}

fn inner(number: u64) -> u64 {
    number * number
}
// ANCHOR_END: tasks
