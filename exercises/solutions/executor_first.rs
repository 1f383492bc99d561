//! The first answer counts. The other tasks are cancelled.

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, Task, WaitFor,
    wait_for_tasks,
};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let answers = env::args().nth(1).unwrap_or("b".into());
    let executor = ProcessPoolExecutor::new(3)?;
    let tasks = ["a", "b", "c"].map(|mirror| {
        executor.submit(ask, (mirror.into(), answers.clone()))
    });
    println!("{}", first(tasks.into())?);
    Ok(())
}

/// The first answer that comes. The other tasks are cancelled.
fn first(
    mut tasks: Vec<Task<String>>,
) -> Result<String, Error> {
    let done = wait_for_tasks(&tasks, WaitFor::First, None);
    let first = tasks.swap_remove(done[0]);
    tasks.iter().for_each(Task::cancel);
    first.get()
}

fn ask((mirror, answers): (String, String)) -> String {
    if mirror != answers {
        loop {
            thread::park();
        }
    }
    thread::sleep(Duration::from_millis(10)); // It is slow.
    format!("the file, from {mirror}")
}
