//! A progress bar over the results of children.
//!
//!     cargo run --example project_progress
//!
//! Expect: on a pipe

use indicatif::ProgressBar;
use multiprocessing::{Error, Process, wait};

const TASKS: u32 = 10;
const EACH: u32 = 100_000;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let mut children = Vec::new();
    for task in 0..TASKS {
        children.push(Process::spawn(count_primes, task)?);
    }
    let bar = ProgressBar::new(TASKS.into()); // on stderr
    let mut primes = 0;
    while !children.is_empty() {
        for place in wait(&children, None)?.into_iter().rev() {
            primes += children.remove(place).join()?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
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
