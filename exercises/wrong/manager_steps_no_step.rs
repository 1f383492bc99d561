//! Refused: job 2: lost
// The step was noted nowhere.
use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use nix::sys::signal::{Signal, raise};
use std::env;

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let executor = ProcessPoolExecutor::new(2)?;
    let tasks = [1, 2, 3, 4].map(|job| executor.submit(work, job));
    for (job, task) in (1..).zip(tasks) {
        match task.get() {
            Ok(()) => println!("job {job}: done"),
            Err(_) => println!("job {job}: lost"),
        }
    }
    Ok(())
}

/// Does all steps of a job.
fn work(job: u32) {
    for number in 1..=5 {
        step(job, number);
    }
}

fn step(job: u32, number: u32) {
    // A worker has the arguments of the program, too.
    let argument = |place| env::args().nth(place)?.parse().ok();
    let fatal = (argument(1).unwrap_or(2), argument(2).unwrap_or(3));
    if (job, number) == fatal {
        raise(Signal::SIGKILL).expect("it never returns");
    }
}
