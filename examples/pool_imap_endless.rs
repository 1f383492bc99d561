//! `imap` over numbers without end. How many are read, before
//! four results are taken?
//!
//!     cargo run --example pool_imap_endless

use multiprocessing::{Error, Pool};
use std::cell::Cell;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    let read = Cell::new(0);
    // ANCHOR: imap
    let numbers = (0..).inspect(|_| read.set(read.get() + 1));
    let results = pool.imap(square, numbers);
    let squares: Result<Vec<_>, _> = results.take(4).collect();
    // ANCHOR_END: imap
    println!("{:?}: {} items were read", squares?, read.get());
    Ok(())
}

fn square(number: u64) -> u64 {
    number * number
}
