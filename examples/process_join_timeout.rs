//! Wait for a process, but not for ever.
//!
//!     cargo run --example process_join_timeout

use multiprocessing::{Error, Process};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let p = Process::spawn(sleep, ())?;
    let limit = Duration::from_millis(100);
    match p.wait_timeout(limit) {
        true => println!("It has ended"),
        false => println!("It still runs after 100 ms"),
    }
    p.kill()?;
    let end = p.join();
    println!("Killed: {}", end.is_err());
    Ok(())
}

fn sleep(_: ()) {
    thread::sleep(Duration::MAX);
}
