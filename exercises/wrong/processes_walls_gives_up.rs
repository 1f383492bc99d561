//! Refused: ended with exit status 1

use multiprocessing::Process;
use std::time::Duration;
use std::{env, error, process, thread};

fn main() -> Result<(), Box<dyn error::Error>> {
    multiprocessing::init();
    for argument in env::args().skip(1) {
        let number: i64 = argument.parse()?;
        let root = Process::spawn(root, number)?.join()?;
        println!("{number}: {root}");
    }
    Ok(())
}

/// Nothing is to be changed in it.
fn root(number: i64) -> i64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    if number < 0 {
        process::abort();
    }
    number.isqrt()
}
