//! `imap` gives a result for each task, and each may be an error.

use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::env;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let argument = |n| env::args().nth(n)?.parse().ok();
    let kills = argument(1).unwrap_or(2);
    let panics = argument(2).unwrap_or(5);
    report((1..=6).map(|n| (n, kills, panics)).collect())
}

/// Does the tasks, and prints what became of each.
fn report(tasks: Vec<(u64, u64, u64)>) -> Result<(), Error> {
    let pool = Pool::new(2)?;
    let results = pool.imap(square, tasks);
    for (n, result) in (1..).zip(results) {
        match result {
            Ok(square) => println!("{n}: {square}"),
            Err(Error::WorkerDied { .. }) => {
                println!("{n}: worker died");
            }
            Err(Error::Panicked { .. }) => {
                println!("{n}: panicked");
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn square((n, kills, panics): (u64, u64, u64)) -> u64 {
    if n == kills {
        raise(Signal::SIGKILL).expect("it never returns");
    }
    assert_ne!(n, panics, "this task panics");
    n * n
}
