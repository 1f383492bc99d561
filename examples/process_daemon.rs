//! A daemon ends with its parent.
//!
//!     cargo run --example process_daemon

use multiprocessing::{Descriptor, Process};
use std::error::Error;
use std::io::{Read, pipe};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (mut reader, ready) = pipe()?;
    let builder = Process::builder().daemon(true);
    let _daemon = builder.spawn(work, ready.into())?;
    reader.read_to_end(&mut Vec::new())?;
    println!("Main process end");
    Ok(())
}

fn work(ready: Descriptor) {
    println!("Daemon at work, for ever");
    drop(ready); // the parent reads the end
    std::thread::sleep(Duration::MAX);
}
