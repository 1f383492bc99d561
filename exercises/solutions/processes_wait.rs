//! A wait that costs nothing.

use multiprocessing::{Error, Process};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(work, ())?;
    child.wait();
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
