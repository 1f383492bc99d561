//! A producer is killed after its `put` has returned. Is the
//! value in the queue?
//!
//!     cargo run --example queue_lost

use multiprocessing::{Error, Process, Queue};
use multiprocessing::{Sender, pipe_one_way};
use std::{thread, time::Duration};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let (receiver, sender) = pipe_one_way()?;
    let shared = (queue.clone(), sender);
    let child = Process::spawn(produce, shared)?;
    println!("Child: {}", receiver.recv()?);
    child.kill()?;
    child.wait();
    match queue.get_timeout(Duration::from_secs(1)) {
        Ok(number) => println!("Parent: got {number}"),
        Err(error) => println!("Parent: {error}"),
    }
    Ok(())
}

type Shared = (Queue<u32>, Sender<String>);

fn produce((queue, sender): Shared) -> Result<(), Error> {
    queue.put(7)?;
    sender.send("put has returned".into())?;
    loop {
        thread::park();
    }
}
