//! An executor of threads.

use super::Executor;
use super::slot::Slot;
use crate::error::Trying;
use crate::pool::call;
use crate::spawn::{ReturnValue, TaskArguments, catch};
use crate::{Error, Task, sys};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Does tasks in threads of this process: Python's `ThreadPoolExecutor`.
///
/// A task that panics has [`Error::Panicked`] as its result, and the thread goes on. One that runs
/// cannot be ended. If a callback drops the executor, that does not wait for the callback's thread.
#[derive(Debug)]
pub struct ThreadPoolExecutor {
    /// `None` once it was closed.
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    waiting: Receiver<Box<dyn Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// A task that has not begun.
trait Job: Send {
    fn run(self: Box<Self>);
    fn cancel(self: Box<Self>);
}

struct Call<A, R> {
    f: fn(A) -> R,
    args: A,
    slot: Arc<Slot<R>>,
}

impl<A: Send, R: Send> Job for Call<A, R> {
    fn run(self: Box<Self>) {
        let Self { f, args, slot } = *self;
        if slot.begin() {
            slot.end(catch(|| Ok(f(args))));
        }
    }

    fn cancel(self: Box<Self>) {
        self.slot.cancel();
    }
}

impl ThreadPoolExecutor {
    /// An executor with this many threads.
    ///
    /// # Errors
    ///
    /// [`Error::System`] for 0 threads, or if the system has no thread left.
    pub fn new(threads: usize) -> Result<Self, Error> {
        if threads == 0 {
            return Err(Error::refused("make an executor of 0 threads", libc::EINVAL));
        }
        let (jobs, waiting) = unbounded::<Box<dyn Job>>();
        let mut executor = Self { jobs: Mutex::new(Some(jobs)), waiting, threads: Vec::new() };
        for number in 1..=threads {
            let waiting = executor.waiting.clone();
            // What the job drops may panic.
            let work = move || waiting.iter().for_each(|job| call(|| job.run()));
            let thread = thread::Builder::new().name(format!("Thread-{number}")).spawn(work);
            executor.threads.push(thread.trying_to("start a thread")?);
        }
        Ok(executor)
    }
}

impl Executor for ThreadPoolExecutor {
    fn submit<A, R>(&self, f: fn(A) -> R, args: A) -> Task<R>
    where
        A: TaskArguments + Send + 'static,
        R: ReturnValue + Send + 'static,
    {
        let slot = Arc::new(Slot::new());
        let job = Box::new(Call { f, args, slot: Arc::clone(&slot) });
        let given = sys::lock(&self.jobs).as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !given {
            slot.end(Err(Error::Closed));
        }
        Task::new(slot)
    }

    fn close(&self) {
        *sys::lock(&self.jobs) = None;
    }

    fn cancel_waiting(&self) {
        self.waiting.try_iter().for_each(|job| job.cancel());
    }

    fn shutdown(self) {}
}

impl Drop for ThreadPoolExecutor {
    fn drop(&mut self) {
        self.close();
        // A callback may have dropped the executor: then this is one of the threads.
        let others = |thread: &JoinHandle<()>| thread.thread().id() != thread::current().id();
        for thread in self.threads.drain(..).filter(others) {
            let _ = thread.join(); // its tasks' panics were caught
        }
    }
}
