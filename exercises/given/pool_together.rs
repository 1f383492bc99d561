//! Three tasks meet at a barrier: each of them prints that it
//! waits, and waits there for the two others. Then the program
//! should print the square of each number:
//!
//!     task 1 waits
//!     task 2 waits
//!     task 3 waits
//!     1
//!     4
//!     9
//!
//! The pool has three workers, so all three tasks can run at
//! the same time, and may begin in any order.
//!
//! As it is given, the first task waits alone, gives up after
//! three seconds, and the program ends with an error. Change
//! `main`; `square` is as it should be.
//!
//!     cargo exercise pool_together

use multiprocessing::{Barrier, Error, Pool};
use std::time::Duration;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let all = Barrier::new(3)?;
    let pool = Pool::new(3)?;
    for number in 1..=3 {
        let args = (all.clone(), number);
        println!("{}", pool.apply(square, args)??);
    }
    Ok(())
}

fn square((all, n): (Barrier, u64)) -> Result<u64, Error> {
    println!("task {n} waits");
    all.wait_timeout(Duration::from_secs(3))?;
    Ok(n * n)
}
