//! A parent that does not wait: the child goes on alone.
//!
//!     cargo run --example process_unjoined

use multiprocessing::{Descriptor, Process};
use std::error::Error;
use std::fs::File;
use std::io::{Read, pipe};
use std::os::unix::process::parent_id;
use std::process::id;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (end, _hold) = pipe()?; // closed when this process ends
    drop(Process::spawn(child, (end.into(), id()))?);
    println!("Parent: ends without a join");
    Ok(())
}

fn child((end, parent): (Descriptor, u32)) {
    let _ = File::from(end.into_fd()).read(&mut [0]);
    while parent_id() == parent {
        std::thread::yield_now(); // not yet quite gone
    }
    println!("Child: its parent has ended");
}
