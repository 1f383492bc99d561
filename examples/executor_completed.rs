//! The last task is done first: results as they come.
//!
//!     cargo run --example executor_completed

use multiprocessing::{
    Error, Event, Executor, ThreadPoolExecutor, WaitFor,
    as_completed, wait_for_tasks,
};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let names = ["A", "B", "C"];
    let gates = [Event::new()?, Event::new()?, Event::new()?];
    let executor = ThreadPoolExecutor::new(3)?;
    let tasks = [0, 1, 2].map(|index| {
        executor.submit(work, (index, gates[index].clone()))
    });

    gates[2].set(); // C may end
    for index in wait_for_tasks(&tasks, WaitFor::First, None) {
        println!("done: {}", names[index]);
    }
    for (index, result) in as_completed(tasks) {
        println!("{}: {}", names[index], result?);
        gates[index.saturating_sub(1)].set(); // the one before
    }
    Ok(())
}

fn work((index, gate): (usize, Event)) -> String {
    gate.wait();
    format!("task {index} was let go")
}
