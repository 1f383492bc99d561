//! Refused: A child should print “a worker squares 0”, but it was printed by your program
// The workers have nothing to do.
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
    let _ = (tasks, results);
    (0..=last)
        .map(|number| {
            println!("a worker squares {number}");
            if number == 0 {
                thread::sleep(Duration::from_secs(1));
            }
            Ok(number * number)
        })
        .collect()
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
