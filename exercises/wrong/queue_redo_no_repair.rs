//! Refused: while it held the lock

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
    let mut missing = numbers.clone();
    while !missing.is_empty() {
        round(missing, &squares)?;
        let all = squares.lock()?;
        missing = numbers.clone();
        missing.retain(|number| all[*number as usize][1] == 0);
    }
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
        match worker.join() {
            Err(Error::Killed { .. }) => (), // its number is missing
            outcome => outcome??,
        }
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
