//! Five messages and "finish" go through a queue to a child.
//!
//!     cargo run --example queue

use multiprocessing::{Error, Process, Queue};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let child = Process::spawn(receive, queue.clone())?;
    for number in 0..5 {
        queue.put(format!("msg {number}"))?;
    }
    queue.put("finish".to_string())?;
    child.join()?
}

fn receive(queue: Queue<String>) -> Result<(), Error> {
    loop {
        let message = queue.get()?;
        println!("Child process received msg: {message}");
        if message == "finish" {
            return Ok(());
        }
    }
}
