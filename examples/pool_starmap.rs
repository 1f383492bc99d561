//! A function of two arguments: each item is a tuple.
//!
//!     cargo run --example pool_starmap

use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    let items = [(2, 5), (3, 2), (10, 3)];
    println!("{:?}", pool.map(power, items)?);
    Ok(())
}

fn power((base, exponent): (u64, u32)) -> u64 {
    base.pow(exponent)
}
