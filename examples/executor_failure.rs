//! The second of three tasks fails. What does map give?
//!
//!     cargo run --example executor_failure

use multiprocessing::{Error, Executor, ThreadPoolExecutor};

fn main() -> Result<(), Error> {
    let executor = ThreadPoolExecutor::new(2)?;
    // ANCHOR: results
    for result in executor.map(invert, [4, 0, 5]) {
        match result? {
            Ok(inverse) => println!("{inverse} %"),
            Err(error) => println!("{error}"),
        }
    }
    // ANCHOR_END: results
    Ok(())
}

fn invert(number: u64) -> Result<u64, String> {
    let inverse = 100_u64.checked_div(number);
    inverse.ok_or_else(|| "0 has no inverse".to_string())
}
