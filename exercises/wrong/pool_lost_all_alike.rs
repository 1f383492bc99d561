//! Refused: 5: worker died
// Whatever goes wrong is called a dead worker.
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
    for (n, result) in (1..).zip(pool.imap(square, tasks)) {
        match result {
            Ok(square) => println!("{n}: {square}"),
            Err(_) => println!("{n}: worker died"),
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
