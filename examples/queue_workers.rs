//! Three workers get from one queue. Each number goes to one of
//! them.
//!
//!     cargo run --example queue_workers

use multiprocessing::{Barrier, Error, Process, Queue};

type Shared = (Queue<u32>, Barrier);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let barrier = Barrier::new(3)?;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let shared = (queue.clone(), barrier.clone());
        workers.push(Process::spawn(work, shared)?);
    }
    for number in 0..100 {
        queue.put(number)?;
    }
    queue.close(); // one call ends all three loops
    let mut all = Vec::new();
    for worker in workers {
        let got = worker.join()??;
        println!("a worker got some: {}", !got.is_empty());
        all.extend(got);
    }
    all.sort();
    let each_once = all.into_iter().eq(0..100);
    println!("together each number once: {each_once}");
    Ok(())
}

// ANCHOR: work
fn work((queue, barrier): Shared) -> Result<Vec<u32>, Error> {
    let mut got = vec![queue.get()?];
    barrier.wait()?; // now each has one
    for number in queue.iter() {
        got.push(number?);
    }
    Ok(got)
}
// ANCHOR_END: work
