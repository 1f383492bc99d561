//! This program should start a child, wait until it has ended,
//! and print how it ended. While it waits, it should not use a
//! core, nor wake up in between.
//!
//! As it is given, it looks again and again. `top` shows it at
//! 100 % while the child works. Mend it, and check it:
//!
//!     cargo exercise processes_wait

use multiprocessing::{Error, Process};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let child = Process::spawn(work, ())?;
    while child.is_alive() {}
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
