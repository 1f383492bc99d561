//! Refused: `root` should be called in child processes, 3 times
// The parent does all the work, and knows when a child would crash.
use multiprocessing::Process;
use std::time::Duration;
use std::{env, error, process, thread};

fn main() -> Result<(), Box<dyn error::Error>> {
    multiprocessing::init();
    for argument in env::args().skip(1) {
        let number: i64 = argument.parse()?;
        let child = Process::spawn(idle, number)?;
        match child.join() {
            Ok(()) => println!("{number}: {}", root(number)),
            Err(_) => println!("{number}: crashed"),
        }
    }
    Ok(())
}

fn idle(number: i64) {
    if number < 0 {
        process::abort();
    }
}

/// Nothing is to be changed in it.
fn root(number: i64) -> i64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if number < 0 {
        process::abort();
    }
    number.isqrt()
}
