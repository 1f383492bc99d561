//! A flag says that the data is ready: whoever sees the flag
//! sees the data, too.
//!
//!     cargo run --example shared_memory_ready

use multiprocessing::{Error, Process, RawArray, RawValue};
use std::hint::spin_loop;
use std::sync::atomic::Ordering::{Acquire, Release};

type Shared = (RawArray<i32>, RawValue<u8>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (data, ready) = (RawArray::new(4)?, RawValue::new(0)?);
    let shared = (data.clone(), ready.clone());
    let child = Process::spawn(fill, shared)?;
    while ready.atomic().load(Acquire) == 0 {
        spin_loop(); // an Event would sleep
    }
    println!("{:?}", data.to_vec());
    child.join()?
}

fn fill((data, ready): Shared) -> Result<(), Error> {
    data.write(0, &[1, 4, 9, 16])?;
    ready.atomic().store(1, Release);
    Ok(())
}
