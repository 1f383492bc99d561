//! A progress bar over the tasks of a pool.
//!
//!     cargo run --example pool_progress
//!
//! Expect: on a pipe

use indicatif::ProgressBar;
use multiprocessing::{Error, Pool};

const TASKS: u32 = 100;
const EACH: u32 = 5_000;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::builder().build()?; // one for each core
    // ANCHOR: bar
    let bar = ProgressBar::new(TASKS.into()); // on stderr
    let mut primes = 0;
    for result in pool.imap_unordered(count_primes, 0..TASKS) {
        primes += result?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    // ANCHOR_END: bar
    println!("{primes} primes below {}", TASKS * EACH);
    Ok(())
}

fn count_primes(task: u32) -> usize {
    let numbers = task * EACH..(task + 1) * EACH;
    numbers.filter(|&n| is_prime(n)).count()
}

fn is_prime(n: u32) -> bool {
    let mut divisors = (2..).take_while(|d| d * d <= n);
    n > 1 && !divisors.any(|d| n.is_multiple_of(d))
}
