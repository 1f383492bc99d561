//! Wait for a process, but not for ever.
//!
//!     cargo run --example process_timeout

use multiprocessing::{Error, Process};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let p = Process::spawn(sleep, ())?;
    let limit = Duration::from_millis(100);
    if p.wait_timeout(limit) {
        println!("It has ended");
    } else {
        println!("It still runs after 100 ms");
    }
    p.kill()?;
    p.wait();
    println!("Killed: {}", p.exit_code() == Some(-9));
    Ok(())
}

fn sleep(_: ()) {
    thread::sleep(Duration::MAX);
}
