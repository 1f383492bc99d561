//! Four children put their results into one queue. Which result
//! belongs to which child?
//!
//!     cargo run --example queue_results

use multiprocessing::{Error, Process, Queue};

type Results = Queue<(usize, u64)>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let numbers = [12, 3, 30, 1];
    let queue = Results::new(10)?;
    let mut children = Vec::new();
    for task in numbers.into_iter().enumerate() {
        let args = (task, queue.clone());
        children.push(Process::spawn(square, args)?);
    }
    // ANCHOR: collect
    let mut squares = [0; 4];
    for _ in numbers {
        let (index, square) = queue.get()?; // in any order
        squares[index] = square;
    }
    for child in children {
        child.join()??;
    }
    // ANCHOR_END: collect
    println!("{squares:?}");
    Ok(())
}

type Task = ((usize, u64), Results);

fn square(((index, n), queue): Task) -> Result<(), Error> {
    queue.put((index, n * n))?;
    Ok(())
}
