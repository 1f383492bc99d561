//! Refused: 5: worker died
// Whatever goes wrong is called a dead worker.
use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let pool = Pool::new(2)?;
    for (n, result) in (1..).zip(pool.imap(square, 1..=6)) {
        match result {
            Ok(square) => println!("{n}: {square}"),
            Err(_) => println!("{n}: worker died"),
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
