//! Refused: Your program itself has slept 2 times
// The parent calls the function for the texts without a bug.
use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use std::time::Duration;
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut texts: Vec<_> = env::args().skip(1).collect();
    if texts.is_empty() {
        texts =
            ["fork", "pipe!", "queue"].map(Into::into).into();
    }
    print_all(&ProcessPoolExecutor::new(2)?, &texts)
}

fn print_all(
    executor: &impl Executor,
    texts: &[String],
) -> Result<(), Error> {
    let give =
        |text: &String| executor.submit(idle, text.clone());
    let tasks: Vec<_> = texts.iter().map(give).collect();
    for (text, task) in texts.iter().zip(tasks) {
        match task.get() {
            Ok(()) => println!("{text}: {}", letters(text.clone())),
            Err(Error::WorkerDied { .. }) => {
                println!("{text}: lost")
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn idle(text: String) {
    if text.contains('!') {
        process::abort();
    }
}

fn letters(text: String) -> usize {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if text.contains('!') {
        process::abort();
    }
    text.chars().count()
}
