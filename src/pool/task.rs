//! A task whose result is to come.

use super::core::Core;
use super::results::{Callback, Results, Wanted, call};
use crate::Error;
use crate::sys::deadline::{Deadline, deadline};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A task that was given to a [`Pool`](crate::Pool) or an [`Executor`](crate::Executor): Python's
/// `AsyncResult` and `Future`.
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
    pending: Arc<dyn Pending<R>>,
    is_taken: AtomicBool,
}

/// What a task is to those who wait for it. Who does it, a process or a thread, is behind this.
pub(crate) trait Pending<R>: Send + Sync {
    /// Waits until it is done. Returns whether it is.
    fn wait(&self, deadline: Deadline) -> bool;
    /// Takes the result, once it is done.
    fn take(&self) -> Result<R, Error>;
    fn has_failed(&self) -> bool;
    fn is_running(&self) -> bool;
    /// Ends it also if it runs, where that is possible, or only if it has not begun.
    fn cancel(&self, also_running: bool);
    /// Has a callback called when it is done. If it is, the callback comes back.
    fn set_callback(&self, callback: Callback) -> Option<Callback>;
    /// Has a waker woken when it is done. Returns whether it is.
    fn set_waker(&self, waker: &Waker) -> bool;
}

impl<R> Task<R> {
    pub(crate) fn new(pending: Arc<dyn Pending<R>>) -> Self {
        Self { pending, is_taken: AtomicBool::new(false) }
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
    ///
    /// # Panics
    ///
    /// If the result was taken before, by [`get_timeout`](Task::get_timeout) or by awaiting it.
    #[doc(alias = "result")]
    pub fn get(self) -> Result<R, Error> {
        self.wait();
        self.take()
    }

    /// The same, but waits no longer than `timeout` (of the monotonic clock). If there is no result
    /// by then, the task goes on, and you can ask again.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if the task is not done; those of [`get`](Task::get).
    ///
    /// # Panics
    ///
    /// If the result was taken before, by this function or by awaiting the task.
    ///
    /// ```
    /// use multiprocessing::{Error, Pool};
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let pool = Pool::new(1)?;
    ///     let task = pool.apply_async(|n: u32| n + 1, 1);
    ///     assert_eq!(task.get_timeout(Duration::from_secs(5))?, 2);
    ///     Ok(())
    /// }
    /// ```
    pub fn get_timeout(&self, timeout: Duration) -> Result<R, Error> {
        match self.wait_timeout(timeout) {
            true => self.take(),
            false => Err(Error::TimedOut),
        }
    }

    fn take(&self) -> Result<R, Error> {
        self.mark_taken();
        self.pending.take()
    }

    fn mark_taken(&self) {
        assert!(!self.is_taken.swap(true, Relaxed), "the result of this task was taken before");
    }

    /// Calls `callback` with the result as soon as it is there: Python's `callback`,
    /// `error_callback` and `add_done_callback`. If the result is there already, this calls it.
    ///
    /// Otherwise a pool calls it in a thread of its own, and other callbacks of that pool wait until
    /// it returns. So it must not wait for another callback, as [`as_completed`](crate::as_completed)
    /// does. A thread executor calls it in the thread that did the task, or that cancelled it.
    ///
    /// # Panics
    ///
    /// If the result was taken before.
    #[doc(alias = "add_done_callback")]
    pub fn on_done(self, callback: impl FnOnce(Result<R, Error>) + Send + 'static)
    where
        R: 'static,
    {
        self.mark_taken();
        let pending = Arc::clone(&self.pending);
        if let Some(callback) =
            self.pending.set_callback(Box::new(move || callback(pending.take())))
        {
            call(callback);
        }
    }

    /// Waits until the task is done.
    pub fn wait(&self) {
        while !self.pending.wait(None) {}
    }

    /// Waits until the task is done, but no longer than `timeout` (of the monotonic clock), and
    /// returns whether it is.
    #[must_use = "the task may still run"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.pending.wait(deadline(timeout))
    }

    /// Whether the task is done: it has a result or an error. Python's `ready` and `done`.
    #[doc(alias = "ready")]
    #[doc(alias = "done")]
    pub fn is_done(&self) -> bool {
        self.wait_timeout(Duration::ZERO)
    }

    /// Whether the task is done and has an error: the opposite of Python's `successful`. That a
    /// result cannot be decoded shows only when it is taken. Once it is taken, this is `false`.
    #[doc(alias = "successful")]
    pub fn has_failed(&self) -> bool {
        self.is_done() && self.pending.has_failed()
    }

    /// Whether a worker is at it at this moment.
    pub fn is_running(&self) -> bool {
        self.pending.is_running()
    }

    /// Cancels the task. If it has not begun, it never will, and its result is
    /// [`Error::Cancelled`].
    ///
    /// If it runs in a process, this ends the process, by `SIGTERM` and, if it has not ended half
    /// a second later, by `SIGKILL`; another worker takes its place. A task that runs in a thread
    /// goes on, as in Python, because nothing can end a thread. If the task is done, this does
    /// nothing.
    pub fn cancel(&self) {
        self.pending.cancel(true);
    }

    /// Cancels the task if it has not begun.
    pub(crate) fn cancel_waiting(&self) {
        self.pending.cancel(false);
    }

    /// For those who wait for several.
    pub(crate) fn set_waker(&self, waker: &Waker) -> bool {
        self.pending.set_waker(waker)
    }
}

impl<R> Future for Task<R> {
    type Output = Result<R, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context) -> Poll<Self::Output> {
        match self.set_waker(context.waker()) {
            true => Poll::Ready(self.take()),
            false => Poll::Pending,
        }
    }
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Task").field("done", &self.is_done()).finish()
    }
}

/// The tasks of one call of a pool, as one.
pub(super) struct PoolTask<R> {
    pub core: Arc<Core>,
    pub results: Arc<Results>,
    /// How many results it has: with `map_async`, one for each item.
    pub count: usize,
    pub collect: fn(&Results) -> Result<R, Error>,
}

impl<R> Pending<R> for PoolTask<R> {
    fn wait(&self, deadline: Deadline) -> bool {
        self.core.wait(&self.results, Wanted::Count(self.count), deadline)
    }

    fn take(&self) -> Result<R, Error> {
        (self.collect)(&self.results)
    }

    fn has_failed(&self) -> bool {
        self.results.has_error()
    }

    fn is_running(&self) -> bool {
        self.core.dispatcher().is_running(&self.results)
    }

    fn cancel(&self, also_running: bool) {
        self.core.cancel(&self.results, also_running);
    }

    fn set_callback(&self, callback: Callback) -> Option<Callback> {
        self.results.set_callback(self.count, callback)
    }

    fn set_waker(&self, waker: &Waker) -> bool {
        self.results.set_waker(self.count, waker)
    }
}
