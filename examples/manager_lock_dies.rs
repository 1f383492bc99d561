//! A process is killed while it holds a manager's lock.
//!
//!     cargo run --example manager_lock_dies

use multiprocessing::{Error, EventProxy, LockProxy};
use multiprocessing::{Manager, Process};

// ANCHOR: main
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let lock = manager.lock()?;
    let held = manager.event()?;
    let args = (lock.clone(), held.clone());
    let p = Process::spawn(hold, args)?;
    held.wait()?;
    p.kill()?;
    p.join().expect_err("it was killed");

    if let Err(error) = lock.acquire() {
        println!("{error}");
    }
    let repair = || println!("I put things in order");
    let _guard = lock.acquire_or_repair(repair)?;
    println!("I have the lock");
    Ok(())
}
// ANCHOR_END: main

fn hold(
    (lock, held): (LockProxy, EventProxy),
) -> Result<(), Error> {
    let _guard = lock.acquire()?;
    held.set()?;
    loop {
        std::thread::park(); // until it is killed
    }
}
