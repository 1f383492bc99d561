//! A permit is lost with the process that is killed while it
//! holds it. A lock comes back.
//!
//!     cargo run --example sync_semaphore_killed

use multiprocessing::{Error, Event, Lock, Process, Semaphore};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (semaphore, lock) = (Semaphore::new(1)?, Lock::new()?);
    let holds = Event::new()?;
    let shared =
        (semaphore.clone(), lock.clone(), holds.clone());
    let p = Process::spawn(hold, shared)?;
    holds.wait();
    p.kill()?;
    p.join().expect_err("it was killed");
    let limit = Duration::from_millis(300);
    match semaphore.acquire_timeout(limit) {
        Some(_) => println!("The permit came back."),
        None => println!("No permit."),
    }
    let _guard = lock.acquire_or_repair(|| ())?;
    println!("The lock is ours.");
    Ok(())
}

fn hold((semaphore, lock, holds): (Semaphore, Lock, Event)) {
    let _permit = semaphore.acquire();
    let _guard = lock.acquire().expect("it is free");
    holds.set();
    std::thread::park();
}
