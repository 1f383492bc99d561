//! One of two is killed before it has come. The other does not
//! wait for ever, because it has a limit.
//!
//!     cargo run --example sync_barrier_killed

use multiprocessing::{Barrier, Error, Process};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let barrier = Barrier::new(2)?;
    let p = Process::spawn(never_come, barrier.clone())?;
    p.kill()?;
    p.join().expect_err("it was killed");
    let limit = Duration::from_millis(300);
    for _ in 0..2 {
        if let Err(error) = barrier.wait_timeout(limit) {
            println!("{error}");
        }
    }
    barrier.reset()?;
    let p = Process::spawn(come, barrier.clone())?;
    barrier.wait()?;
    p.join()??;
    println!("Both have come.");
    Ok(())
}

fn never_come(_barrier: Barrier) {
    std::thread::park();
}

fn come(barrier: Barrier) -> Result<(), Error> {
    barrier.wait().map(|_| ())
}
