//! The second of three tasks kills its worker. What becomes of
//! the others?
//!
//!     cargo run --example pool_crash
//!
//! Expect: exit status 0 or hangs

use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    // ANCHOR: results
    let results = pool.imap(square, 1..=3);
    for (n, result) in (1..).zip(results) {
        match result {
            Ok(square) => println!("{n}: {square}"),
            Err(Error::WorkerDied { exit_code, .. }) => {
                let code = exit_code.unwrap_or_default();
                println!("{n}: worker died, exit code {code}");
            }
            Err(other) => return Err(other),
        }
    }
    // ANCHOR_END: results
    println!("{} worker was replaced", pool.stats().restarts);
    Ok(())
}

fn square(number: u64) -> u64 {
    if number == 2 {
        // As the kernel does when no memory is left.
        raise(Signal::SIGKILL).expect("it never returns");
    }
    number * number
}
