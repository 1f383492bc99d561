//! Refused: Your program should end with exit status 0, but it was killed by SIGKILL
// The tasks run in the program itself.
use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    for n in 1..=6 {
        println!("{n}: {}", square(n));
    }
    drop(pool);
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
