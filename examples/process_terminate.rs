//! A terminated process does not clean up.
//!
//!     cargo run --example process_terminate

use multiprocessing::{Descriptor, Process};
use std::error::Error;
use std::io::{Read, pipe};
use std::time::Duration;

struct CleanUp;

impl Drop for CleanUp {
    fn drop(&mut self) {
        println!("Child: cleaned up"); // never printed
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    multiprocessing::init();
    let (mut reader, ready) = pipe()?;
    let p = Process::spawn(work, ready.into())?;
    reader.read_to_end(&mut Vec::new())?;
    p.terminate()?;
    p.wait();
    let code = p.exit_code().ok_or("unknown")?;
    println!("Parent: exit code {code}");
    Ok(())
}

fn work(ready: Descriptor) {
    let _clean_up = CleanUp;
    println!("Child: at work");
    drop(ready); // the parent reads the end
    std::thread::sleep(Duration::MAX);
}
