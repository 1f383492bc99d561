//! Six tasks: one kills its worker, and one panics. `report`
//! should print what became of each task, in their order:
//!
//!     1: 1
//!     2: worker died
//!     3: 9
//!     4: 16
//!     5: panicked
//!     6: 36
//!
//! `pool_lost 4 1` is a run in which task 4 kills its worker
//! and task 1 panics.
//!
//! As it is given, the first error ends the program, and the
//! results of the good tasks are gone. Write `report`.
//!
//!     cargo exercise pool_lost

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
    // Errors are `Error::WorkerDied { .. }` and
    // `Error::Panicked { .. }`.
    let results = pool.map(square, tasks)?;
    for (n, result) in (1..).zip(results) {
        println!("{n}: {result}");
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
