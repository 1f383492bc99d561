//! Three workers square the numbers from 0 up to the argument.
//! When all are done, the program prints the squares in the
//! order of the numbers. 0 takes the longest.
//!
//! As it is given, it gives the workers nothing to do, and
//! prints nothing. Complete `squares`, without changing the
//! limits of the queues, and check it:
//!
//!     cargo exercise queue_order
//!
//! To run it without a check:
//!
//!     cargo run -p exercises --bin queue_order -- 5

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
    _last: usize,
    _tasks: &Tasks,
    _results: &Results,
) -> Result<Vec<usize>, Error> {
    Ok(vec![]) // Something is missing here.
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
