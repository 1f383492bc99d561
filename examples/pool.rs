//! A pool: four workers share the calls of one function.
//!
//!     cargo run --example pool

use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(4)?;
    let squares = pool.map(square, 0..10)?;
    println!("{squares:?}");
    Ok(())
}

fn square(number: u64) -> u64 {
    number * number
}
