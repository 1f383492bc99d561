//! A process is killed that has made memory with a name and
//! memory without. The name is removed by somebody else.
//!
//!     cargo run --example shared_memory_killed

use multiprocessing::{Array, Error, Process, SharedMemory};
use std::process::{abort, id};
use std::thread::yield_now;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let name = format!("shared_memory_killed-{}", id());
    let child = Process::spawn(create_and_die, name.clone())?;
    println!("{}", child.join().expect_err("it died"));
    while SharedMemory::attach(&name).is_ok() {
        yield_now(); // nothing announces that it is gone
    }
    println!("The name is gone.");
    Ok(())
}

fn create_and_die(name: String) -> Result<(), Error> {
    let _array = Array::<u8>::new(1000)?;
    let _block = SharedMemory::create(&name, 100)?;
    abort(); // as a kill: no destructor runs
}
