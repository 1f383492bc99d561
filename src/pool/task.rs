//! A task that was given to a pool.

use super::core::Core;
use super::results::{Results, Wanted};
use crate::Error;
use crate::sys::deadline::deadline;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A task that was given to a [`Pool`](crate::Pool): Python's `AsyncResult` and `Future`.
///
/// Dropping it does not cancel the task. It can be awaited in any async runtime.
///
/// ```
/// use multiprocessing::{Error, Pool};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let pool = Pool::new(2)?;
///     let tasks = [3, 4].map(|number| pool.apply_async(square, number));
///     for task in tasks {
///         println!("{}", task.get()?);
///     }
///     Ok(())
/// }
///
/// fn square(number: u64) -> u64 {
///     number * number
/// }
/// ```
#[must_use = "its result is lost if it is dropped"]
pub struct Task<R> {
    core: Arc<Core>,
    results: Arc<Results>,
    /// How many results it has: with `map_async`, one for each item.
    count: usize,
    collect: fn(&Results) -> Result<R, Error>,
}

impl<R> Task<R> {
    pub(super) fn new(
        core: &Arc<Core>,
        results: Arc<Results>,
        count: usize,
        collect: fn(&Results) -> Result<R, Error>,
    ) -> Self {
        Self { core: Arc::clone(core), results, count, collect }
    }

    /// Waits for the result, and returns it: Python's `get` and `result`.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked; [`Error::WorkerDied`] if its worker was
    /// killed or has exited; [`Error::TimeLimit`] and [`Error::Cancelled`]; [`Error::Encode`] and
    /// [`Error::Decode`] for arguments and results that cannot be encoded or decoded;
    /// [`Error::Closed`] if the pool was closed before, and [`Error::PoolBroken`] if it has no
    /// workers.
    pub fn get(self) -> Result<R, Error> {
        self.wait();
        (self.collect)(&self.results)
    }

    /// The same, but waits no longer than `timeout` (of the monotonic clock). If there is no result
    /// by then, the task comes back. `?` turns it into [`Error::TimedOut`]:
    ///
    /// ```
    /// # use multiprocessing::{Error, Pool};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Error> {
    /// #     multiprocessing::init();
    /// #     let pool = Pool::new(1)?;
    /// let task = pool.apply_async(|n: u32| n + 1, 1);
    /// let result = task.get_timeout(Duration::from_secs(5))??;
    /// # assert_eq!(result, 2);
    /// #     Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The task, if it is not done. Inside, those of [`get`](Task::get).
    pub fn get_timeout(self, timeout: Duration) -> Result<Result<R, Error>, Self> {
        match self.wait_timeout(timeout) {
            true => Ok(self.get()),
            false => Err(self),
        }
    }

    /// Calls `callback` with the result as soon as it is there: Python's `callback`,
    /// `error_callback` and `add_done_callback`. It is called in a thread of the pool, or in one
    /// that waits for the pool, so it should be short. If it is there already, this calls it.
    pub fn on_done(self, callback: impl FnOnce(Result<R, Error>) + Send + 'static)
    where
        R: 'static,
    {
        let (results, collect) = (Arc::clone(&self.results), self.collect);
        let callback = Box::new(move || callback(collect(&results)));
        if let Some(callback) = self.results.call_back(self.count, callback) {
            callback();
        }
    }

    /// Waits until the task is done.
    pub fn wait(&self) {
        while !self.core.wait(&self.results, self.wanted(), None) {}
    }

    /// Waits until the task is done, but no longer than `timeout` (of the monotonic clock), and
    /// returns whether it is.
    #[must_use = "the task may still run"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.core.wait(&self.results, self.wanted(), deadline(timeout))
    }

    /// Whether the task is done: it has a result or an error. Python's `ready` and `done`.
    #[doc(alias = "ready")]
    pub fn is_done(&self) -> bool {
        self.wait_timeout(Duration::ZERO)
    }

    fn wanted(&self) -> Wanted {
        Wanted::Count(self.count)
    }

    /// Whether a worker is at it at this moment.
    pub fn is_running(&self) -> bool {
        self.core.dispatcher().is_running(&self.results)
    }

    /// Cancels the task. If it has not begun, it never will. If it runs, its worker is ended, by
    /// `SIGTERM` and, if it has not ended half a second later, by `SIGKILL`; another worker takes
    /// its place. Either way, the result is [`Error::Cancelled`]. If the task is done, this does
    /// nothing.
    ///
    /// Python's `Future.cancel` cannot end a task that runs.
    pub fn cancel(&self) {
        self.core.cancel(&self.results, true);
    }
}

impl<R> Future for Task<R> {
    type Output = Result<R, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        match self.results.wake(self.count, context.waker()) {
            true => Poll::Ready((self.collect)(&self.results)),
            false => Poll::Pending,
        }
    }
}

impl<R> From<Task<R>> for Error {
    fn from(_: Task<R>) -> Self {
        Self::TimedOut
    }
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Task").field("done", &self.results.has(self.wanted())).finish()
    }
}
