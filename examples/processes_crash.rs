//! A process that crashes takes nobody with it; a thread
//! that crashes takes the whole process.
//!
//!     cargo run --example processes_crash
//!
//! Expect: killed by SIGABRT

use multiprocessing::{Error, Process};
use std::process::abort;
use std::thread;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let process = Process::spawn(crash, ())?;
    if let Err(error) = process.join() {
        println!("{error}");
    }
    println!("The parent goes on.");
    let thread = thread::spawn(|| crash(()));
    println!("{:?}", thread.join());
    Ok(())
}

fn crash(_: ()) {
    abort(); // as a wrong pointer in a C library would
}
