//! Two processes, two locks, and each wants the other's.
//!
//!     cargo run --example sync_deadlock
//!
//! Expect: lines in any order, hangs

use multiprocessing::{Barrier, Error, Lock, Process};

type Shared = (Lock, Lock, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (a, b) = (Lock::new()?, Lock::new()?);
    let both = Barrier::new(2)?;
    let p1 = (a.clone(), b.clone(), both.clone());
    let p2 = (b, a, both);
    let p1 = Process::spawn(take_two, p1)?;
    let p2 = Process::spawn(take_two, p2)?;
    p1.join()??;
    p2.join()?
}

fn take_two(shared: Shared) -> Result<(), Error> {
    let (first, second, both) = shared;
    let _first = first.acquire()?;
    println!("Has one lock, and wants the other.");
    both.wait()?;
    let _second = second.acquire()?;
    println!("Has both locks.");
    Ok(())
}
