//! Refused: `letters` should be called with “pipe!”
// It does not call the function for such a text.
use multiprocessing::{Error, Executor, ThreadPoolExecutor};
use std::time::Duration;
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    let mut texts: Vec<_> = env::args().skip(1).collect();
    if texts.is_empty() {
        texts = ["fork", "pipe!", "queue"].map(Into::into).into();
    }
    print_all(&ThreadPoolExecutor::new(2)?, &texts)
}

fn print_all(
    executor: &impl Executor,
    texts: &[String],
) -> Result<(), Error> {
    let give = |text: &String| executor.submit(letters, text.clone());
    for text in texts {
        if text.contains('!') {
            println!("{text}: lost");
            continue;
        }
        match give(text).get() {
            Ok(number) => println!("{text}: {number}"),
            Err(Error::WorkerDied { .. }) => println!("{text}: lost"),
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
