//! The lost update: two processes add to one number.
//!
//!     cargo run --example shared_memory_race

use multiprocessing::{Barrier, Error, Process};
use multiprocessing::{RawValue, Value};

const TIMES: u64 = 200_000;

type Shared = (RawValue<u64>, Value<u64>, Barrier);
type Work = fn(Shared) -> Result<(), Error>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (raw, locked) = (RawValue::new(0)?, Value::new(0)?);
    let shared = (raw, locked, Barrier::new(2)?);
    run_both(add_raw, &shared)?;
    show("without the lock", shared.0.get());
    run_both(add_locked, &shared)?;
    show("with the lock", *shared.1.lock()?);
    Ok(())
}

fn run_both(f: Work, shared: &Shared) -> Result<(), Error> {
    let p1 = Process::spawn(f, shared.clone())?;
    let p2 = Process::spawn(f, shared.clone())?;
    p1.join()?.and(p2.join()?)
}

fn add_raw((number, _, start): Shared) -> Result<(), Error> {
    let seen = number.get();
    start.wait()?; // both have read 0
    number.set(seen + 1);
    (1..TIMES).for_each(|_| number.set(number.get() + 1));
    Ok(())
}

fn add_locked((_, number, start): Shared) -> Result<(), Error> {
    start.wait()?;
    for _ in 0..TIMES {
        *number.lock()? += 1;
    }
    Ok(())
}

fn show(how: &str, number: u64) {
    let lost = number < 2 * TIMES;
    let lost = if lost { "lost some" } else { "all there" };
    println!("{how}: {lost}");
}
