//! Refused: left processes behind

use multiprocessing::{Error, Process, wait};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let argument = env::args().nth(1).unwrap_or_default();
    let quick: usize = argument.parse().unwrap_or(0);
    let mut children = Vec::new();
    for number in 0..3 {
        children.push(Process::spawn(ask, (number, quick))?);
    }
    let ended = wait(&children, None)?;
    let first = children.remove(ended[0]);
    println!("process {}", first.join()?);
    Ok(())
}

/// Returns the child's id, if it is the quick one.
fn ask((number, quick): (usize, usize)) -> u32 {
    if number != quick {
        loop {
            thread::park();
        }
    }
    thread::sleep(Duration::from_millis(10)); // It is slow.
    id()
}
