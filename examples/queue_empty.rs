//! A loop that ends when the queue is empty misses what comes
//! later. A loop that ends when it is closed does not.
//!
//!     cargo run --example queue_empty

use multiprocessing::{Error, Event, Process, Queue};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (queue, looked) = (Queue::new(10)?, Event::new()?);
    let shared = (queue.clone(), looked.clone());
    let child = Process::spawn(put_squares, shared)?;
    // ANCHOR: loops
    let mut got: Vec<u64> = Vec::new();
    while !queue.is_empty() {
        got.push(queue.get()?);
    }
    println!("While it was not empty: {got:?}");
    looked.set();
    child.join()??;
    queue.close();
    for square in queue.iter() {
        got.push(square?);
    }
    println!("At the end: {got:?}");
    // ANCHOR_END: loops
    Ok(())
}

type Shared = (Queue<u64>, Event);

fn put_squares((queue, looked): Shared) -> Result<(), Error> {
    looked.wait(); // a child also begins later than its parent
    (1..=3)
        .try_for_each(|number| queue.put(number * number))?;
    Ok(())
}
