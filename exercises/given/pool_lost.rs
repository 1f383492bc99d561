//! Six tasks: one kills its worker, and one panics. The program
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
//! results of the good tasks are gone. Change `main`; `square`
//! is as it should be.
//!
//!     cargo exercise pool_lost

use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    // What can go wrong here is `Error::WorkerDied { .. }` and
    // `Error::Panicked { .. }`.
    let results = pool.map(square, 1..=6)?;
    for (n, result) in (1..).zip(results) {
        println!("{n}: {result}");
    }
    Ok(())
}

fn square(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    // A worker has the arguments of the program, too.
    let argument = |place| env::args().nth(place)?.parse().ok();
    if n == argument(1).unwrap_or(2) {
        raise(Signal::SIGKILL).expect("it never returns");
    }
    assert_ne!(n, argument(2).unwrap_or(5), "this task panics");
    n * n
}
