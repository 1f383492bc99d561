//! Refused: job 2: lost
// The step was noted nowhere.
use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use nix::sys::signal::{Signal, raise};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

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
    thread::sleep(Duration::from_millis(5)); // It is slow.
    // A worker has the arguments of the program, too.
    let fatal = env::args().nth(1).and_then(|n| n.parse().ok());
    // In which step, depends on the worker.
    if (job, number) == (fatal.unwrap_or(2), 1 + id() % 5) {
        raise(Signal::SIGKILL).expect("it never returns");
    }
}
