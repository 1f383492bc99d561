//! A queue in the arguments of a task, and a queue in a queue.
//!
//!     cargo run --example manager_queue

use multiprocessing::{Error, Manager, Pool, QueueProxy};

type Job = (u64, QueueProxy<u64>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let manager = Manager::start()?;
    let pool = Pool::new(2)?;
    // ANCHOR: queues
    let jobs = manager.queue(10)?;
    let task = pool.apply_async(square_one, jobs.clone());
    let answers = manager.queue(1)?;
    jobs.put((12, answers.clone()))?;
    println!("Square: {}", answers.get()?);
    // ANCHOR_END: queues
    task.get()?
}

// ANCHOR: square_one
fn square_one(jobs: QueueProxy<Job>) -> Result<(), Error> {
    let (number, answers) = jobs.get()?;
    Ok(answers.put(number * number)?)
}
// ANCHOR_END: square_one
