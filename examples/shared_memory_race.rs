//! The lost update: two processes add to one number.
//!
//!     cargo run --example shared_memory_race

use multiprocessing::{Barrier, Error, Process};
use multiprocessing::{RawValue, Value};

const TIMES: u64 = 200_000;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let start = Barrier::new(2)?;
    let raw = RawValue::new(0u64)?;
    let p1 = (raw.clone(), start.clone());
    let p2 = (raw.clone(), start.clone());
    run_both(add_raw, p1, p2)?;
    show("without the lock", raw.get());

    let locked = Value::new(0u64)?;
    let p1 = (locked.clone(), start.clone());
    let p2 = (locked.clone(), start.clone());
    run_both(add_locked, p1, p2)?;
    show("with the lock", *locked.lock()?);
    Ok(())
}

fn run_both<A>(f: fn(A), p1: A, p2: A) -> Result<(), Error>
where
    A: serde::Serialize + serde::de::DeserializeOwned,
{
    let processes =
        [Process::spawn(f, p1)?, Process::spawn(f, p2)?];
    processes.into_iter().try_for_each(Process::join)
}

fn add_raw((number, start): (RawValue<u64>, Barrier)) {
    let seen = number.get();
    start.wait().expect("both come"); // both have read 0
    number.set(seen + 1);
    for _ in 1..TIMES {
        number.set(number.get() + 1);
    }
}

fn add_locked((number, start): (Value<u64>, Barrier)) {
    start.wait().expect("both come");
    for _ in 0..TIMES {
        *number.lock().expect("no holder dies") += 1;
    }
}

fn show(how: &str, number: u64) {
    let lost = if number < 2 * TIMES {
        "lost some"
    } else {
        "all there"
    };
    println!("{how}: {lost}");
}
