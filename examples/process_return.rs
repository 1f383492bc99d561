//! One child fills a list, another returns one. Which of
//! them does the parent get?
//!
//!     cargo run --example process_return

use multiprocessing::{Error, Process};
use std::sync::Mutex;

static RESULTS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

fn main() -> Result<(), Error> {
    multiprocessing::init();
    Process::spawn(append, vec![1, 2, 3])?.join()?;
    let results = RESULTS.lock().expect("no panic");
    println!("The list after the join: {results:?}");

    let p = Process::spawn(squares, vec![1, 2, 3])?;
    println!("What was returned: {:?}", p.join()?);
    Ok(())
}

fn append(numbers: Vec<u64>) {
    let mut results = RESULTS.lock().expect("no panic");
    results.extend(numbers.iter().map(|n| n * n));
}

fn squares(numbers: Vec<u64>) -> Vec<u64> {
    numbers.iter().map(|n| n * n).collect()
}
