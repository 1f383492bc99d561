//! Who holds the lock? It says so itself.
//!
//!     cargo run --example sync_who

use multiprocessing::{Error, Event, Lock, Process};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (lock, held) = (Lock::new()?, Event::new()?);
    let p = Process::spawn(hold, (lock.clone(), held.clone()))?;
    println!("The child is process {}.", p.pid());
    held.wait();
    let limit = Duration::from_millis(100);
    if let Err(Error::TimedOut) = lock.acquire_timeout(limit) {
        println!("No lock in time: {lock:?}");
    }
    p.kill()?;
    p.join().expect_err("it was killed");
    if let Err(error) = lock.acquire() {
        println!("{error}");
    }
    println!("Now: {lock:?}");
    Ok(())
}

fn hold((lock, held): (Lock, Event)) {
    let _guard = lock.acquire().expect("it is free");
    held.set();
    std::thread::park();
}
