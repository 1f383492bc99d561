//! Refused: stood still at the same time
// The tasks come one after the other, and the parent squares.
use multiprocessing::{Barrier, Error, Pool};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let all = Barrier::new(3)?;
    let pool = Pool::builder().tasks_per_worker(1).workers(1).build()?;
    for number in 1..=3 {
        pool.apply(square, (all.clone(), number))??;
    }
    for n in 1..=3 {
        println!("{}", n * n);
    }
    Ok(())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    drop(all);
    Ok(n * n)
}
