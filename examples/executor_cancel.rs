//! Four tasks and one worker: the first runs, three wait. All
//! are cancelled.
//!
//!     cargo run --example executor_cancel

use multiprocessing::{
    Error, Event, Executor, ProcessPoolExecutor, Task,
    ThreadPoolExecutor,
};
use std::thread::yield_now;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    cancel_all("thread", &ThreadPoolExecutor::new(1)?, 1)?;
    cancel_all("process", &ProcessPoolExecutor::new(1)?, 1)
}

// ANCHOR: cancel
fn cancel_all(
    worker: &str,
    executor: &impl Executor,
    running: usize,
) -> Result<(), Error> {
    let (started, go) = (Event::new()?, Event::new()?);
    let give =
        || executor.submit(work, (started.clone(), go.clone()));
    let first = give();
    started.wait();
    let tasks = [first, give(), give(), give()];
    while count_running(&tasks) < running {
        yield_now();
    }
    tasks.iter().for_each(Task::cancel);
    go.set();
    let ends = tasks.map(|task| {
        task.get().map_or("cancelled", |()| "done")
    });
    println!("{worker}: {}", ends.join(", "));
    Ok(())
}
// ANCHOR_END: cancel

fn count_running(tasks: &[Task<()>]) -> usize {
    tasks.iter().filter(|task| task.is_running()).count()
}

fn work((started, go): (Event, Event)) {
    started.set();
    go.wait();
}
