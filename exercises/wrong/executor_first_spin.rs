//! Refused: in which there was nothing to do
// It looks again and again.
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
    loop {
        if let Some(i) = tasks.iter().position(|t| t.is_done())
        {
            let done = tasks.remove(i);
            tasks.iter().for_each(|t| t.cancel());
            return done.get();
        }
    }
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
