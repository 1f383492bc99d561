//! Refused: and its worker be killed by SIGKILL
// It knows the bad tasks, and does not give them to the pool.
use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    let argument = |place| env::args().nth(place)?.parse().ok();
    for n in 1..=6 {
        match n {
            _ if n == argument(1).unwrap_or(2) => println!("{n}: worker died"),
            _ if n == argument(2).unwrap_or(5) => println!("{n}: panicked"),
            _ => println!("{n}: {}", pool.apply(square, n)?),
        }
    }
    Ok(())
}

fn square(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(10)); // It is slow.
    // A worker has the arguments of the program, too.
    let argument = |place| env::args().nth(place)?.parse().ok();
    if n == argument(1).unwrap_or(2) {
        raise(Signal::SIGKILL).expect("it never returns");
    }
    assert_ne!(n, argument(2).unwrap_or(5), "this task panics");
    n * n
}
