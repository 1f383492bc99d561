//! What a worker noted in the manager outlives it.

use multiprocessing::{
    DictProxy, Error, Executor, Manager, ProcessPoolExecutor,
};
use nix::sys::signal::{Signal, raise};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

type Args = (u32, DictProxy<u32, u32>);

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let executor = ProcessPoolExecutor::new(2)?;
    let manager = Manager::start()?;
    let steps = manager.dict()?;
    let tasks = [1, 2, 3, 4]
        .map(|job| executor.submit(work, (job, steps.clone())));
    for (job, task) in (1..).zip(tasks) {
        match task.get() {
            Ok(result) => {
                result?;
                println!("job {job}: done");
            }
            Err(Error::WorkerDied { .. }) => {
                let step = steps.get(&job)?.unwrap_or(0);
                println!("job {job}: lost in step {step}");
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Does all steps of a job.
fn work((job, steps): Args) -> Result<(), Error> {
    for number in 1..=5 {
        steps.insert(job, number)?;
        step(job, number);
    }
    Ok(())
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
