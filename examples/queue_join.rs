//! A child puts a long text into a queue, and the parent joins
//! it before it reads. In Python, this hangs.
//!
//!     cargo run --example queue_join
//!
//! Expect: exit status 0 or hangs

use multiprocessing::{Error, Process, Queue};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let child = Process::spawn(put_text, queue.clone())?;
    println!("Parent: waits for the child");
    child.join()??;
    println!("Parent: the child has ended");
    let text = queue.get()?;
    println!("Parent: got {} letters", text.len());
    Ok(())
}

fn put_text(queue: Queue<String>) -> Result<(), Error> {
    queue.put("x".repeat(1_000_000))?;
    Ok(())
}
