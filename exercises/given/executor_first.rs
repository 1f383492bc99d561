//! Three mirrors are asked for the same file, each in a process
//! of its own. Only one of them ever answers; the others make
//! their tasks wait for ever. `executor_first c` is a run in
//! which the mirror c answers; in `executor_first d` none does.
//! The program should sleep until the first answer comes, print
//! it, end the other tasks, and end.
//!
//! As it is given, it waits for the mirror a, whichever
//! answers. Write `first`.
//!
//!     cargo exercise executor_first

use multiprocessing::{
    Error, Executor, ProcessPoolExecutor, Task,
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
    // `wait_for_tasks` says which tasks are done.
    tasks.remove(0).get()
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
