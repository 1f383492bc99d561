//! All tasks are given before the first result is asked for.

use multiprocessing::{Barrier, Error, Pool};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let all = Barrier::new(3)?;
    let pool = Pool::new(3)?;
    let items = (1..=3).map(|number| (all.clone(), number));
    for result in pool.map(square, items)? {
        println!("{}", result?);
    }
    Ok(())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    all.wait_timeout(Duration::from_secs(3))?;
    Ok(n * n)
}
