//! Two worker processes do four jobs. Each job has five steps,
//! and one of the jobs kills its worker in one of its steps:
//! `manager_steps 2` is a run in which job 2 does that. Then
//! the program should print, for example:
//!
//!     job 1: done
//!     job 2: lost in step 3
//!     job 3: done
//!     job 4: done
//!
//! A dead worker cannot tell how far it was. So let each job
//! note its steps in a dictionary that a manager keeps.
//!
//! As it is given, the first error ends the program. Change
//! `main` and `work`; `step` is as it should be.
//!
//!     cargo exercise manager_steps

use multiprocessing::{Error, Executor, ProcessPoolExecutor};
use nix::sys::signal::{Signal, raise};
use std::process::id;
use std::time::Duration;
use std::{env, thread};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let executor = ProcessPoolExecutor::new(2)?;
    let tasks =
        [1, 2, 3, 4].map(|job| executor.submit(work, job));
    for (job, task) in (1..).zip(tasks) {
        task.get()?;
        println!("job {job}: done");
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
