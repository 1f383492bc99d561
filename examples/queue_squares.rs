//! One process puts squares into a queue, another prints them.
//! How does it learn that there are no more?
//!
//!     cargo run --example queue_squares

use multiprocessing::{Error, Process, Queue};

// ANCHOR: main
fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let task = (vec![2, 3, 4], queue.clone());
    let p1 = Process::spawn(put_squares, task)?;
    let p2 = Process::spawn(print_all, queue.clone())?;
    p1.join()??;
    queue.close(); // the only producer has ended
    p2.join()?
}
// ANCHOR_END: main

type Task = (Vec<u64>, Queue<u64>);

fn put_squares((numbers, queue): Task) -> Result<(), Error> {
    for number in numbers {
        queue.put(number * number)?;
    }
    Ok(())
}

// ANCHOR: print_all
fn print_all(queue: Queue<u64>) -> Result<(), Error> {
    for square in queue.iter() {
        println!("{}", square?);
    }
    println!("The queue is closed and empty.");
    Ok(())
}
// ANCHOR_END: print_all
