//! Refused: and the others did not come
// Iterators are lazy: the second task is given when the first
// result has come.
use multiprocessing::{Barrier, Error, Pool};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let all = Barrier::new(3)?;
    let pool = Pool::new(3)?;
    let tasks = (1..=3).map(|number| pool.apply_async(square, (all.clone(), number)));
    for task in tasks {
        println!("{}", task.get()??);
    }
    Ok(())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    all.wait_timeout(Duration::from_secs(3))?;
    Ok(n * n)
}
