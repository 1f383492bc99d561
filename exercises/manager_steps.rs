//! Two worker processes do four jobs. Each job has five steps,
//! and one of the jobs kills its worker in one of its steps.
//! `manager_steps 2 3` is a run in which job 2 does that in
//! step 3. Then the program should print
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
use std::env;

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
    // A worker has the arguments of the program, too.
    let argument = |place| env::args().nth(place)?.parse().ok();
    let fatal =
        (argument(1).unwrap_or(2), argument(2).unwrap_or(3));
    if (job, number) == fatal {
        raise(Signal::SIGKILL).expect("it never returns");
    }
}
