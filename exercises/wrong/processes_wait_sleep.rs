//! Refused: slept

use multiprocessing::{Error, Process};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(work, ())?;
    while child.is_alive() {
        thread::sleep(Duration::from_millis(10));
    }
    if let Some(code) = child.exit_code() {
        println!("The child has ended: {code}");
    }
    Ok(())
}

/// Stands for work of ten seconds.
fn work(_: ()) {
    println!("The child works");
    thread::sleep(Duration::from_secs(10));
}
