//! A block that somebody else shrinks: what is no longer there
//! cannot be touched.
//!
//!     cargo run --example shared_memory_sigbus
//!
//! Expect: killed by SIGBUS

use multiprocessing::SharedMemory;
use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::process::id;

fn main() -> Result<(), Box<dyn Error>> {
    let name = format!("shared_memory_sigbus-{}", id());
    let block = SharedMemory::create(&name, 10_000)?;
    let path = format!("/dev/shm/{name}");
    let file =
        OpenOptions::new().read(true).write(true).open(path)?;
    file.set_len(0)?; // another program could do this
    if let Err(error) = block.read(5000, &mut [0]) {
        println!("{error}");
    }
    let read = file.read_at(&mut [0], 5000)?; // pread(2)
    println!("pread read {read} bytes");
    block.unlink()?; // nobody will do it later
    let place = block.as_mut_ptr().wrapping_add(5000);
    // SAFETY: none. This is what happens.
    let byte = unsafe { place.read_volatile() };
    println!("never printed: {byte}");
    Ok(())
}
