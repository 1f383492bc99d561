//! Four workers, and room for two at a time.
//!
//!     cargo run --example sync_semaphore

use multiprocessing::{Error, Process, Semaphore, Value};
use std::thread::sleep;
use std::time::Duration;

/// How many are inside, and how many were at most.
type Inside = Value<[u32; 2]>;
type Shared = (Semaphore, Inside);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let semaphore = Semaphore::new(2)?;
    let inside: Inside = Value::new([0, 0])?;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let shared = (semaphore.clone(), inside.clone());
        workers.push(Process::spawn(work, shared)?);
    }
    for worker in workers {
        worker.join()??;
    }
    println!("At most {} were inside.", inside.lock()?[1]);
    Ok(())
}

fn work((semaphore, inside): Shared) -> Result<(), Error> {
    let _permit = semaphore.acquire();
    count(&inside, 1)?;
    sleep(Duration::from_millis(300));
    count(&inside, -1)
}

fn count(inside: &Inside, change: i32) -> Result<(), Error> {
    let mut inside = inside.lock()?;
    inside[0] = inside[0].wrapping_add_signed(change);
    inside[1] = inside[1].max(inside[0]);
    Ok(())
}
