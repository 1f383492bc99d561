//! Refused: With the argument 300: Your program had not ended

use multiprocessing::{Error, Process, Queue};
use std::time::Duration;
use std::{env, thread};

type Tasks = Queue<usize>;
type Results = Queue<(usize, usize)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    multiprocessing::init();
    let last = env::args().nth(1).ok_or("up to where?")?;
    let (tasks, results) = (Tasks::new(5)?, Results::new(5)?);
    let mut workers = vec![];
    for _ in 0..3 {
        let queues = (tasks.clone(), results.clone());
        workers.push(Process::spawn(work, queues)?);
    }
    for square in squares(last.parse()?, &tasks, &results)? {
        println!("{square}");
    }
    tasks.close();
    for worker in workers {
        worker.join()??;
    }
    Ok(())
}

fn squares(
    last: usize,
    tasks: &Tasks,
    results: &Results,
) -> Result<Vec<usize>, Error> {
    for number in 0..=last {
        tasks.put(number)?;
    }
    let mut squares = vec![0; last + 1];
    for _ in 0..=last {
        let (number, square) = results.get()?;
        squares[number] = square;
    }
    Ok(squares)
}

fn work(
    (tasks, results): (Tasks, Results),
) -> Result<(), Error> {
    for number in tasks.iter() {
        let number = number?;
        println!("a worker squares {number}");
        if number == 0 {
            thread::sleep(Duration::from_secs(1));
        }
        results.put((number, number * number))?;
    }
    Ok(())
}
