//! A pool by hand: three workers, each with a pipe of its own
//! and a thread that gives it one task after the other.
//!
//!     cargo run --example pool_by_hand

use crossbeam_channel::{Receiver, Sender, unbounded};
use multiprocessing::{Connection, Error, Process, pipe};
use std::thread;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let (give, tasks) = unbounded();
    let (answer, answers) = unbounded();
    let threads = [1, 2, 3].map(|_| {
        let ends = (tasks.clone(), answer.clone());
        thread::spawn(move || serve(ends))
    });
    drop((tasks, answer)); // each thread has its own
    for (place, number) in (1..=5).enumerate() {
        let _ = give.send((place, number));
    }
    drop(give); // there are no more tasks
    let mut squares = [0; 5];
    for (place, square) in answers {
        squares[place] = square;
    }
    println!("{squares:?}");
    let mut threads = threads.into_iter();
    threads.try_for_each(|t| t.join().expect("no panic"))
}

// ANCHOR: serve
type Ends = (Receiver<(usize, u64)>, Sender<(usize, u64)>);

fn serve((tasks, answers): Ends) -> Result<(), Error> {
    let (pipe, theirs) = pipe()?;
    let worker = Process::spawn(work, theirs)?;
    for (place, number) in tasks {
        pipe.send(number)?;
        let _ = answers.send((place, pipe.recv()?));
    }
    drop(pipe); // and the worker's loop ends
    worker.join()?
}
// ANCHOR_END: serve

fn work(pipe: Connection<u64, u64>) -> Result<(), Error> {
    pipe.iter().try_for_each(|n| Ok(pipe.send(n?.pow(2))?))
}
