//! The parent waits for the next message or the end of the
//! child, whichever comes first.
//!
//!     cargo run --example queue_or_child

use multiprocessing::{Error, Process, Queue};
use nix::sys::signal::{Signal, raise};
use std::{io, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let queue = Queue::new(10)?;
    let child = Process::spawn(work, queue.clone())?;
    // ANCHOR: watch
    thread::scope(|scope| {
        scope.spawn(|| {
            child.wait();
            queue.close(); // ends the loop below
        });
        for message in queue.iter() {
            println!("Parent: {}", message?);
        }
        Ok::<(), Error>(())
    })?;
    // ANCHOR_END: watch
    if let Err(error) = child.join() {
        println!("Parent: {error}");
    }
    Ok(())
}

fn work(queue: Queue<String>) -> Result<(), Error> {
    for percent in [25, 50] {
        queue.put(format!("{percent} % are done"))?;
    }
    raise(Signal::SIGKILL).map_err(io::Error::from)?;
    queue.put("all is done".to_string())?;
    Ok(())
}
