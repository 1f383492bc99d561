//! Waiting for several tasks.

use crate::sys::deadline::{deadline, time_left};
use crate::{Error, Task};
use std::iter;
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// What [`wait_for_tasks`] waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WaitFor {
    /// One task is done: Python's `FIRST_COMPLETED`.
    First,
    /// One task has an error, or all are done: Python's `FIRST_EXCEPTION`.
    FirstError,
    /// All are done: Python's `ALL_COMPLETED`.
    All,
}

/// The results of tasks as they are done, each with the index of its task: Python's
/// `as_completed`.
///
/// ```
/// use multiprocessing::{Error, Executor, ThreadPoolExecutor, as_completed};
///
/// fn main() -> Result<(), Error> {
///     let executor = ThreadPoolExecutor::new(2)?;
///     let tasks = [30, 1].map(|milliseconds| executor.submit(sleep, milliseconds));
///     let order: Vec<_> = as_completed(tasks).map(|(index, _)| index).collect();
///     assert_eq!(order, [1, 0]);
///     Ok(())
/// }
///
/// fn sleep(milliseconds: u64) {
///     std::thread::sleep(std::time::Duration::from_millis(milliseconds));
/// }
/// ```
pub fn as_completed<R: Send + 'static>(
    tasks: impl IntoIterator<Item = Task<R>>,
) -> impl Iterator<Item = (usize, Result<R, Error>)> {
    let (sender, receiver) = mpsc::channel();
    for (index, task) in tasks.into_iter().enumerate() {
        let sender = sender.clone();
        task.on_done(move |result| drop(sender.send((index, result))));
    }
    receiver.into_iter()
}

/// Waits for some of these tasks, but no longer than `timeout` (of the monotonic clock; `None`
/// means no limit). Returns the indices of those that are done: Python's `concurrent.futures.wait`.
///
/// ```
/// use multiprocessing::{Error, Executor, ThreadPoolExecutor, WaitFor, wait_for_tasks};
///
/// fn main() -> Result<(), Error> {
///     let executor = ThreadPoolExecutor::new(1)?;
///     let tasks = [1, 2, 3].map(|number| executor.submit(|n: u32| n * n, number));
///     assert_eq!(wait_for_tasks(&tasks, WaitFor::All, None), [0, 1, 2]);
///     Ok(())
/// }
/// ```
pub fn wait_for_tasks<R>(
    tasks: &[Task<R>],
    wanted: WaitFor,
    timeout: Option<Duration>,
) -> Vec<usize> {
    let deadline = timeout.and_then(deadline);
    let waker = WAKER.try_with(Waker::clone).unwrap_or_else(|_| unpark()); // a thread may be ending
    loop {
        let is_done: Vec<_> = tasks.iter().map(|task| task.set_waker(&waker)).collect();
        let is_enough = match wanted {
            WaitFor::First => is_done.contains(&true),
            WaitFor::FirstError => {
                iter::zip(tasks, &is_done).any(|(task, is_done)| *is_done && task.has_failed())
            }
            WaitFor::All => false,
        };
        let left = time_left(deadline);
        if is_enough || !is_done.contains(&false) || left.is_some_and(|left| left.is_zero()) {
            let done = is_done.into_iter().enumerate().filter(|(_, is_done)| *is_done);
            return done.map(|(index, _)| index).collect();
        }
        match left {
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

thread_local! {
    /// Wakes this thread. A task that is waited for again knows it already.
    static WAKER: Waker = unpark();
}

fn unpark() -> Waker {
    Waker::from(Arc::new(Unpark(thread::current())))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
