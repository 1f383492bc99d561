//! Tasks whose results are to come, done by threads or by processes.

mod slot;
mod threads;
mod waiting;

pub use threads::ThreadPoolExecutor;
pub use waiting::{WaitFor, as_completed, wait_for_tasks};

use crate::spawn::{ReturnValue, TaskArguments};
use crate::{Error, Pool, Task};
use std::collections::VecDeque;
use std::iter::Fuse;

/// Does tasks in threads ([`ThreadPoolExecutor`]) or in processes ([`ProcessPoolExecutor`]):
/// Python's `concurrent.futures.Executor`. A program changes from one to the other in one word.
///
/// ```
/// use multiprocessing::{Error, Executor, ProcessPoolExecutor, ThreadPoolExecutor};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     assert_eq!(sum_of_squares(&ThreadPoolExecutor::new(3)?)?, 14);
///     assert_eq!(sum_of_squares(&ProcessPoolExecutor::new(3)?)?, 14);
///     Ok(())
/// }
///
/// fn sum_of_squares(executor: &impl Executor) -> Result<u64, Error> {
///     executor.map(|number: u64| number * number, 1..=3).sum()
/// }
/// ```
///
/// Functions and values are as for a [`Pool`]: the function captures nothing, and the values have
/// serde's two traits, so that they can go to a process. Threads hand them over as they are.
///
/// In Python, threads share one interpreter lock, so only processes make a computation faster. In
/// Rust, threads do, too, and cost less. Take processes for what threads cannot do: a task that
/// crashes, leaks memory or changes its environment harms no other, and one that runs too long can
/// be ended.
pub trait Executor {
    /// Gives the executor a task: Python's `submit`.
    ///
    /// What goes wrong is the task's result: see [`Task::get`].
    fn submit<A, R>(&self, f: fn(A) -> R, args: A) -> Task<R>
    where
        A: TaskArguments + Send + 'static,
        R: ReturnValue + Send + 'static;

    /// Calls `f` with each item. The results come one by one, in the order of the items: Python's
    /// `map`. At most 1,000 items are read ahead of the results that were taken, so an endless
    /// iterator is welcome; [`map_window`](Executor::map_window) changes that.
    ///
    /// When the iterator is dropped, the tasks that have not begun are cancelled.
    fn map<A, R, I>(&self, f: fn(A) -> R, items: I) -> Map<'_, Self, A, R, I::IntoIter>
    where
        A: TaskArguments + Send + 'static,
        R: ReturnValue + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        self.map_window(f, items, WINDOW)
    }

    /// The same, with at most `window` items ahead: Python 3.14's `buffersize`.
    #[doc(alias = "buffersize")]
    fn map_window<A, R, I>(
        &self,
        f: fn(A) -> R,
        items: I,
        window: usize,
    ) -> Map<'_, Self, A, R, I::IntoIter>
    where
        A: TaskArguments + Send + 'static,
        R: ReturnValue + Send + 'static,
        I: IntoIterator<Item = A>,
    {
        let (items, window) = (items.into_iter().fuse(), window.max(1));
        Map { executor: self, f, items, window, tasks: VecDeque::new() }
    }

    /// Takes no more tasks: their result is [`Error::Closed`]. Those that it has are done. It does
    /// not wait: Python's `shutdown(wait=False)`.
    fn close(&self);

    /// Cancels the tasks that have not begun.
    fn cancel_waiting(&self);

    /// Closes the executor, and waits until all tasks are done: Python's `shutdown()`. So does
    /// dropping it. Python's `shutdown(cancel_futures=True)` is
    /// [`cancel_waiting`](Executor::cancel_waiting) before it.
    fn shutdown(self);
}

const WINDOW: usize = 1000;

/// The results of [`Executor::map`].
#[derive(Debug)]
#[must_use = "the tasks begin when the first result is taken"]
pub struct Map<'a, E: ?Sized, A, R, I> {
    executor: &'a E,
    f: fn(A) -> R,
    items: Fuse<I>,
    window: usize,
    tasks: VecDeque<Task<R>>,
}

impl<E: Executor + ?Sized, A, R, I> Iterator for Map<'_, E, A, R, I>
where
    A: TaskArguments + Send + 'static,
    R: ReturnValue + Send + 'static,
    I: Iterator<Item = A>,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.tasks.len() < self.window
            && let Some(item) = self.items.next()
        {
            self.tasks.push_back(self.executor.submit(self.f, item));
        }
        self.tasks.pop_front().map(Task::get)
    }
}

impl<E: ?Sized, A, R, I> Drop for Map<'_, E, A, R, I> {
    fn drop(&mut self) {
        self.tasks.iter().for_each(Task::cancel_waiting);
    }
}

/// Does tasks in processes: Python's `ProcessPoolExecutor`. It is a [`Pool`] that is an
/// [`Executor`].
///
/// A worker that dies costs the task that it was running, and no other. (In Python, all tasks then
/// fail, and the executor is of no more use.)
#[derive(Debug)]
pub struct ProcessPoolExecutor {
    pool: Pool,
}

impl ProcessPoolExecutor {
    /// An executor with this many workers.
    ///
    /// # Errors
    ///
    /// Those of [`Pool::new`].
    pub fn new(workers: usize) -> Result<Self, Error> {
        Pool::new(workers).map(Self::from)
    }

    /// Its pool, for what only processes can do: a time limit, retries, its state.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Ends all workers and cancels all tasks, as [`Pool::terminate`]: Python 3.14's
    /// `terminate_workers` and `kill_workers`.
    #[doc(alias = "kill_workers")]
    pub fn terminate_workers(&self) {
        self.pool.terminate();
    }
}

/// An executor with an initializer, for example: `Pool::builder()…build()?.into()`.
impl From<Pool> for ProcessPoolExecutor {
    fn from(pool: Pool) -> Self {
        Self { pool }
    }
}

impl Executor for ProcessPoolExecutor {
    fn submit<A, R>(&self, f: fn(A) -> R, args: A) -> Task<R>
    where
        A: TaskArguments + Send + 'static,
        R: ReturnValue + Send + 'static,
    {
        self.pool.apply_async(f, args)
    }

    fn close(&self) {
        self.pool.close();
    }

    fn cancel_waiting(&self) {
        self.pool.cancel_waiting();
    }

    fn shutdown(self) {}
}

impl Drop for ProcessPoolExecutor {
    fn drop(&mut self) {
        self.pool.finish();
    }
}
