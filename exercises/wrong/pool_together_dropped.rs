//! Refused: the task was cancelled, or its pool was terminated
// The pool ends with `give`, before the tasks are done.
use multiprocessing::{Barrier, Error, Pool, Task};
use std::time::Duration;

type Square = Task<Result<u64, Error>>;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    for task in give()? {
        println!("{}", task.get()??);
    }
    Ok(())
}

fn give() -> Result<Vec<Square>, Error> {
    let all = Barrier::new(4)?;
    let pool = Pool::new(3)?;
    Ok((1..=3).map(|number| pool.apply_async(square, (all.clone(), number))).collect())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    all.wait_timeout(Duration::from_secs(3))?;
    Ok(n * n)
}
