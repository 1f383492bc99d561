//! Refused: and its worker be killed by SIGKILL
// It knows the bad tasks, and does not give them to the pool.
use multiprocessing::{Error, Pool};
use nix::sys::signal::{Signal, raise};
use std::env;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let argument = |n| env::args().nth(n)?.parse().ok();
    let kills = argument(1).unwrap_or(2);
    let panics = argument(2).unwrap_or(5);
    report((1..=6).map(|n| (n, kills, panics)).collect())
}

/// Does the tasks, and prints what became of each.
fn report(tasks: Vec<(u64, u64, u64)>) -> Result<(), Error> {
    let pool = Pool::new(2)?;
    for task in tasks {
        match task {
            (n, kills, _) if n == kills => println!("{n}: worker died"),
            (n, _, panics) if n == panics => println!("{n}: panicked"),
            (n, ..) => println!("{n}: {}", pool.apply(square, task)?),
        }
    }
    Ok(())
}

fn square((n, kills, panics): (u64, u64, u64)) -> u64 {
    if n == kills {
        raise(Signal::SIGKILL).expect("it never returns");
    }
    assert_ne!(n, panics, "this task panics");
    n * n
}
