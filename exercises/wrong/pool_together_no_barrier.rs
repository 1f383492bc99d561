//! Refused: Task 2 should begin before the first result is there
// Without the barrier there is no error, but the tasks run one
// after the other.
use multiprocessing::{Barrier, Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let all = Barrier::new(3)?;
    let pool = Pool::new(3)?;
    for number in 1..=3 {
        println!("{}", pool.apply(square, (all.clone(), number))??);
    }
    Ok(())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    drop(all);
    Ok(n * n)
}
