//! Each task gets a queue among its arguments.
//!
//!     cargo run --example pool_queue

use multiprocessing::{Error, Pool, Queue};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    let queue = Queue::new(10)?;
    let tasks = [2, 3, 4].map(|n| (queue.clone(), n));
    let results = pool.map(put_square, tasks)?;
    results.into_iter().collect::<Result<(), _>>()?;
    queue.close();
    let sum: Result<u64, Error> = queue.iter().sum();
    println!("Sum of the squares: {}", sum?);
    Ok(())
}

fn put_square(task: (Queue<u64>, u64)) -> Result<(), Error> {
    let (queue, number) = task;
    Ok(queue.put(number * number)?)
}
