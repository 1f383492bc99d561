//! A block with a name. Another process attaches to it, and
//! its creator removes the name.
//!
//!     cargo run --example shared_memory_named

use multiprocessing::{Error, Process, SharedMemory};
use std::process::id;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let name = format!("shared_memory_named-{}", id());
    let block = SharedMemory::create(&name, 100)?;
    block.write(0, b"hello")?;
    Process::spawn(answer, name.clone())?.join()??;
    let mut text = [0; 5];
    block.read(0, &mut text)?;
    println!("Parent read: {}", text.escape_ascii());
    drop(block);
    match SharedMemory::attach(&name) {
        Ok(_) => println!("The name is still there."),
        Err(_) => println!("The name is gone."),
    }
    Ok(())
}

fn answer(name: String) -> Result<(), Error> {
    let block = SharedMemory::attach(&name)?;
    let mut text = [0; 5];
    block.read(0, &mut text)?;
    println!("Child read: {}", text.escape_ascii());
    block.write(0, b"HELLO")
}
