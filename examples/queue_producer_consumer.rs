//! A producer is faster than its consumer. How many values
//! wait between them?
//!
//!     cargo run --example queue_producer_consumer

use multiprocessing::{Error, Event, Process, Queue};

type Shared = (Queue<u32>, Event);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let shared = (Queue::new(10)?, Event::new()?);
    let producer = Process::spawn(produce, shared.clone())?;
    let consumer = Process::spawn(consume, shared.clone())?;
    producer.join()??;
    shared.0.close();
    consumer.join()?
}

// ANCHOR: produce
fn produce((queue, is_full): Shared) -> Result<(), Error> {
    for number in 0..100 {
        if number == 10 {
            println!("full: {}", queue.is_full());
            is_full.set();
        }
        queue.put(number)?; // waits while it is full
    }
    Ok(())
}
// ANCHOR_END: produce

fn consume((queue, is_full): Shared) -> Result<(), Error> {
    is_full.wait();
    let (mut most, mut sum) = (queue.len(), 0);
    for number in queue.iter() {
        sum += number?;
        most = most.max(queue.len());
    }
    println!("at most {most} waited; their sum is {sum}");
    Ok(())
}
