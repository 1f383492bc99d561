//! When `put` has returned, is the value in the queue?
//!
//!     cargo run --example queue_feeder

use multiprocessing::{Error, Queue};

fn main() -> Result<(), Error> {
    let queue = Queue::new(10)?;
    queue.put(7)?;
    println!("put has returned: empty is {}", queue.is_empty());
    println!("got {}", queue.get()?);
    Ok(())
}
