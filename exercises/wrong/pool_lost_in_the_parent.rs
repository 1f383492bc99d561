//! Refused: Your program should end with exit status 0, but it was killed by SIGKILL
// The tasks run in the program itself.
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
    for (n, result) in (1..).zip(tasks.into_iter().map(square)) {
        println!("{n}: {result}");
    }
    drop(pool);
    Ok(())
}

fn square((n, kills, panics): (u64, u64, u64)) -> u64 {
    if n == kills {
        raise(Signal::SIGKILL).expect("it never returns");
    }
    assert_ne!(n, panics, "this task panics");
    n * n
}
