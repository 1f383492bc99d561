//! Refused: while it ran this task
// The first error ends the program.
use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use std::time::Duration;
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut texts: Vec<_> = env::args().skip(1).collect();
    if texts.is_empty() {
        texts = ["fork", "pipe!", "queue"].map(Into::into).into();
    }
    print_all(&ProcessPoolExecutor::new(2)?, &texts)
}

fn print_all(
    executor: &impl Executor,
    texts: &[String],
) -> Result<(), Error> {
    let give = |text: &String| executor.submit(letters, text.clone());
    let tasks: Vec<_> = texts.iter().map(give).collect();
    for (text, task) in texts.iter().zip(tasks) {
        match task.get() {
            Ok(number) => println!("{text}: {number}"),
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn letters(text: String) -> usize {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if text.contains('!') {
        process::abort();
    }
    text.chars().count()
}
