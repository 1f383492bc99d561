//! Three workers get numbers from a queue, store their squares
//! in an array, and report each number through a pipe. Each
//! multiple of 7 kills the first worker that begins it. All
//! squares should be there at the end, nevertheless. The
//! argument is the last number.
//!
//! As it is given, it gives up at the first death. Mend it,
//! without changing what kills the workers, and check it:
//!
//!     cargo exercise queue_redo
//!
//! Without a check:
//!
//!     cargo run -p exercises --bin queue_redo -- 20

use multiprocessing::{
    Array, Error, Process, Queue, Sender, pipe_one_way,
};
use nix::sys::signal::{Signal, raise};
use std::env;

/// For each number whether it was begun, and its square: 0 as
/// long as it is missing.
type Squares = Array<[u64; 2]>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let last = env::args().nth(1).ok_or("up to where?")?;
    let numbers: Vec<u64> = (1..=last.parse()?).collect();
    let squares = Squares::new(numbers.len() + 1)?;
    round(numbers, &squares)?; // Is one round enough?
    for [_, square] in &squares.lock()?[1..] {
        println!("{square}");
    }
    Ok(())
}

/// Three workers store the squares of the numbers `left`.
fn round(left: Vec<u64>, all: &Squares) -> Result<(), Error> {
    let queue = Queue::new(left.len())?;
    queue.put_many(left)?;
    queue.close();
    let (receiver, sender) = pipe_one_way()?;
    let mut workers = vec![];
    for _ in 0..3 {
        let job = (queue.clone(), all.clone(), sender.clone());
        workers.push(Process::spawn(work, job)?);
    }
    drop(sender);
    for number in receiver.iter() {
        println!("stored {}", number?);
    }
    for worker in workers {
        worker.join()??;
    }
    Ok(())
}

type Job = (Queue<u64>, Squares, Sender<u64>);

fn work((queue, all, sender): Job) -> Result<(), Error> {
    for number in queue.iter() {
        let number = number?;
        let mut all = all.lock()?;
        let [begun, square] = &mut all[number as usize];
        if number % 7 == 0 && *begun == 0 {
            *begun = 1;
            let _ = raise(Signal::SIGKILL);
        }
        *square = number * number;
        drop(all);
        sender.send(number)?;
    }
    Ok(())
}
