//! A name outlives its creator if that one is killed. Memory
//! without a name does not.
//!
//!     cargo run --example shared_memory_killed

use multiprocessing::{Array, Error, Process, SharedMemory};
use std::process::{abort, id};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let name = format!("shared_memory_killed-{}", id());
    let child = Process::spawn(create_and_die, name.clone())?;
    println!("{}", child.join().expect_err("it died"));
    let mut text = [0; 5];
    SharedMemory::attach(&name)?.read(0, &mut text)?;
    println!("What it left: {}", text.escape_ascii());
    SharedMemory::unlink(&name)
}

fn create_and_die(name: String) {
    let _array = Array::<u8>::new(1000).expect("memory");
    let block =
        SharedMemory::create(&name, 100).expect("memory");
    block.write(0, b"hello").expect("five bytes");
    abort(); // as a kill: no destructor runs
}
