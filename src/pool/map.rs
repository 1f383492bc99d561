//! Many tasks in one call.

use super::Pool;
use super::core::Core;
use super::job::{Call, Job, Treatment};
use super::results::{Results, Wanted, decode};
use super::task::{PoolTask, Task};
use crate::Error;
use crate::spawn::{ReturnValue, TaskArguments};
use serde::Serialize;
use std::iter::FusedIterator;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// How tasks are treated: see [`Pool::tasks`].
///
/// ```
/// use multiprocessing::{Error, Pool};
/// use std::time::Duration;
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let pool = Pool::new(2)?;
///     let limited = pool.tasks().time_limit(Duration::from_millis(100));
///     let results: Vec<_> = limited.imap(wait, [0, 60_000]).collect();
///     assert!(matches!(results[..], [Ok(0), Err(Error::TimeLimit { .. })]));
///     Ok(())
/// }
///
/// fn wait(milliseconds: u64) -> u64 {
///     std::thread::sleep(Duration::from_millis(milliseconds));
///     milliseconds
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use = "this starts no task"]
pub struct Tasks<'a> {
    pool: &'a Pool,
    treatment: Treatment,
    window: usize,
}

/// How far `imap` reads ahead, if nothing else is said.
const WINDOW: usize = 1000;

impl<'a> Tasks<'a> {
    pub(super) fn new(pool: &'a Pool) -> Self {
        Self { pool, treatment: Treatment::default(), window: WINDOW }
    }

    /// How many tasks go to a worker in one message (1 to 1,000). Without this, as many as take
    /// about a millisecond, by the time that earlier ones took. Each has its own result, error and
    /// time limit, and those that have not begun go to another worker if one is idle. (From a worker
    /// that is stopped by `SIGSTOP`, a single task goes to another one only while somebody waits.)
    pub fn chunk_size(mut self, tasks: usize) -> Self {
        self.treatment.chunk_size = Some(tasks.max(1));
        self
    }

    /// How long a task may run, counted from the moment when it begins. A task that takes longer
    /// has [`Error::TimeLimit`] as its result, and its worker is ended, as by
    /// [`Task::cancel`].
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.treatment.time_limit = Some(limit);
        self
    }

    /// How often a task runs again if its worker dies ([`Error::WorkerDied`]). Without this, it
    /// does not: it may have done a part of its work, and may kill each worker that it meets. A
    /// task that returns an error, panics or runs too long is not run again.
    pub fn retries(mut self, retries: u32) -> Self {
        self.treatment.retries = retries;
        self
    }

    /// How many items [`imap`](Tasks::imap) and [`imap_unordered`](Tasks::imap_unordered) read
    /// ahead of the results that were taken. Without this, 1,000. Python 3.14's `buffersize`.
    pub fn window(mut self, items: usize) -> Self {
        self.window = items.max(1);
        self
    }

    /// See [`Pool::apply`].
    ///
    /// # Errors
    ///
    /// Those of [`Task::get`].
    pub fn apply<A, R>(&self, f: fn(A) -> R, args: A) -> Result<R, Error>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.apply_async(f, args).get()
    }

    /// See [`Pool::apply_async`].
    pub fn apply_async<A, R>(&self, f: fn(A) -> R, args: A) -> Task<R>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        let results = Arc::<Results>::default();
        self.submit(f, &results, &mut 0, [args]);
        self.task(results, 1, |results| decode(results.take_any().unwrap_or(Err(Error::Cancelled))))
    }

    /// See [`Pool::map`].
    ///
    /// # Errors
    ///
    /// Those of [`Task::get`], of the first item that has one.
    pub fn map<A, R>(
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, Error>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.map_async(f, items).get()
    }

    /// See [`Pool::map_async`].
    pub fn map_async<A, R>(&self, f: fn(A) -> R, items: impl IntoIterator<Item = A>) -> Task<Vec<R>>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        let (results, mut count) = (Arc::<Results>::default(), 0);
        self.submit(f, &results, &mut count, items);
        self.task(results, count, |results| results.take_all().map(decode).collect())
    }

    /// See [`Pool::imap`].
    pub fn imap<A, R, I>(&self, f: fn(A) -> R, items: I) -> Imap<'a, A, R, I::IntoIter>
    where
        A: TaskArguments,
        R: ReturnValue,
        I: IntoIterator<Item = A>,
    {
        Imap::new(self.clone(), f, items.into_iter(), true)
    }

    /// See [`Pool::imap_unordered`].
    pub fn imap_unordered<A, R, I>(&self, f: fn(A) -> R, items: I) -> Imap<'a, A, R, I::IntoIter>
    where
        A: TaskArguments,
        R: ReturnValue,
        I: IntoIterator<Item = A>,
    {
        Imap::new(self.clone(), f, items.into_iter(), false)
    }

    fn task<R: 'static>(
        &self,
        results: Arc<Results>,
        count: usize,
        collect: fn(&Results) -> Result<R, Error>,
    ) -> Task<R> {
        let core = Arc::clone(&self.pool.core);
        Task::new(Arc::new(PoolTask { core, results, count, collect }))
    }

    /// Gives tasks to the pool. Their places begin at `place`, which is then the next one's. If the
    /// items panic, so does this.
    fn submit<A, R>(
        &self,
        f: fn(A) -> R,
        results: &Arc<Results>,
        place: &mut usize,
        items: impl IntoIterator<Item = A>,
    ) where
        A: TaskArguments,
        R: ReturnValue,
    {
        let core = &self.pool.core;
        let call = Call::new(f).ok();
        let (mut items, mut at_once) = (items.into_iter().fuse().peekable(), AT_FIRST);
        while items.peek().is_some() {
            let mut step = Step { core, jobs: Vec::new() };
            for item in items.by_ref().take(at_once) {
                match self.job(call, &item, results, *place) {
                    Ok(job) => step.jobs.push(job),
                    Err(error) => drop(results.arrive(*place, Err(error))), // it has no callback yet
                }
                *place += 1;
            }
            at_once = (2 * at_once).min(AT_ONCE);
        }
    }

    fn job<A: Serialize>(
        &self,
        call: Option<Call>,
        args: &A,
        results: &Arc<Results>,
        place: usize,
    ) -> Result<Job, Error> {
        let call = call.ok_or(Error::NotInExecutable)?;
        let (args, luggage) = Job::encode(args, &self.pool.core.luggage)?;
        let (treatment, results) = (self.treatment, Arc::clone(results));
        Ok(Job { call, args, luggage, treatment, results, place, number: 0 })
    }
}

/// How many tasks are given to the pool in one step: few at first, so that the workers begin while a
/// slow iterator goes on, and twice as many with each step.
const AT_FIRST: usize = 16;
const AT_ONCE: usize = 2048;

/// Tasks that are given to the pool when this is dropped, also by a panic of the next item.
struct Step<'a> {
    core: &'a Core,
    jobs: Vec<Job>,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.core.submit(mem::take(&mut self.jobs));
    }
}

/// The results of [`Pool::imap`] and [`Pool::imap_unordered`]. Dropping it cancels what has not
/// begun.
#[must_use = "the tasks begin when the first result is taken"]
pub struct Imap<'a, A, R, I> {
    tasks: Tasks<'a>,
    f: fn(A) -> R,
    /// `None` after its end, or after a panic.
    items: Option<I>,
    results: Arc<Results>,
    in_order: bool,
    given: usize,
    taken: usize,
}

impl<'a, A, R, I> Imap<'a, A, R, I> {
    fn new(tasks: Tasks<'a>, f: fn(A) -> R, items: I, in_order: bool) -> Self {
        let (items, results) = (Some(items), Arc::default());
        Self { tasks, f, items, results, in_order, given: 0, taken: 0 }
    }
}

impl<A, R, I> Imap<'_, A, R, I>
where
    A: TaskArguments,
    R: ReturnValue,
    I: Iterator<Item = A>,
{
    /// Reads ahead, a part of the window at once.
    fn fill(&mut self) {
        let room = self.tasks.window - (self.given - self.taken);
        if room < self.tasks.window.div_ceil(4) {
            return;
        }
        let Some(mut items) = self.items.take() else { return };
        let all = self.given + room;
        let some = items.by_ref().take(room);
        self.tasks.submit(self.f, &self.results, &mut self.given, some);
        if self.given == all {
            self.items = Some(items);
        }
    }
}

impl<A, R, I> Iterator for Imap<'_, A, R, I>
where
    A: TaskArguments,
    R: ReturnValue,
    I: Iterator<Item = A>,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        if self.taken == self.given {
            return None;
        }
        let wanted = if self.in_order { Wanted::Place(self.taken) } else { Wanted::Any };
        while !self.tasks.pool.core.wait(&self.results, wanted, None) {}
        let outcome = match self.in_order {
            true => self.results.take(self.taken),
            false => self.results.take_any(),
        };
        self.taken += 1;
        Some(decode(outcome?))
    }
}

impl<A, R, I> FusedIterator for Imap<'_, A, R, I>
where
    A: TaskArguments,
    R: ReturnValue,
    I: Iterator<Item = A>,
{
}

impl<A, R, I> Drop for Imap<'_, A, R, I> {
    fn drop(&mut self) {
        self.results.abandon();
        if self.taken < self.given {
            self.tasks.pool.core.cancel(&self.results, false);
        }
    }
}
