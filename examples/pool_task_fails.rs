//! The second of three tasks fails. What do the others give?
//!
//!     cargo run --example pool_task_fails

use multiprocessing::{Error, Pool};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    // ANCHOR: results
    let results = pool.imap(invert, [4, 0, 5]);
    for result in results.collect::<Vec<_>>() {
        match result {
            Ok(inverse) => println!("{inverse} %"),
            Err(error) => println!("{error}"),
        }
    }
    // ANCHOR_END: results
    let all = pool.map(invert, [4, 5, 10])?;
    println!("The pool goes on: {all:?}");
    Ok(())
}

fn invert(number: u64) -> u64 {
    assert!(number != 0, "0 has no inverse");
    100 / number
}
