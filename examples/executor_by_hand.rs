//! An executor of threads by hand: a task is a channel for one
//! value.
//!
//!     cargo run --example executor_by_hand

use std::sync::mpsc::{Receiver, RecvError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

type Job = Box<dyn FnOnce() + Send>;

fn main() -> Result<(), RecvError> {
    let executor = start(3);
    let text = String::from("captured");
    let length = submit(&executor, move || text.len());
    let square = submit(&executor, || 12 * 12);
    println!("{} {}", length.recv()?, square.recv()?);
    Ok(())
}

// ANCHOR: executor
fn start(threads: usize) -> Sender<Job> {
    let (executor, waiting) = channel();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..threads {
        let waiting = Arc::clone(&waiting);
        spawn(move || {
            while let Some(job) = next(&waiting) {
                job();
            }
        });
    }
    executor
}

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    waiting.lock().ok()?.recv().ok()
}

fn submit<R: Send + 'static>(
    executor: &Sender<Job>,
    f: impl FnOnce() -> R + Send + 'static,
) -> Receiver<R> {
    let (sender, task) = channel();
    let job = move || drop(sender.send(f()));
    let _ = executor.send(Box::new(job));
    task
}
// ANCHOR_END: executor
