//! Each argument is a task. A child for each should work on it,
//! all at once. A child that breaks (it panics, or is killed)
//! is replaced by a new one with the next attempt's number,
//! until three have broken. A child that returns an error is
//! not replaced. At the end the program prints a line for each
//! task, in the order of the tasks:
//!
//!     7: attempt 1
//!     flaky: attempt 3
//!     bad: given up
//!     wrong: no such task
//!
//! As it is given, it works on one task after the other, and
//! the first child that breaks ends it. Mend it, and check it:
//!
//!     cargo exercise process_retry

use multiprocessing::{Error, Process};
use std::{env, process, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for task in env::args().skip(1) {
        let child = Process::spawn(work, (task.clone(), 1))?;
        match child.join()? {
            Ok(n) => println!("{task}: attempt {n}"),
            Err(error) => println!("{task}: {error}"),
        }
    }
    Ok(())
}

/// Nothing is wrong with it.
fn work((task, attempt): (String, u8)) -> Result<u8, String> {
    match task.as_str() {
        "wrong" => return Err("no such task".into()),
        "bad" => process::abort(),
        "flaky" if attempt < 3 => panic!("attempt {attempt}"),
        "slow" if attempt == 1 => {
            println!("slow");
            loop {
                thread::park(); // until it is killed
            }
        }
        _ => (),
    }
    Ok(attempt)
}
