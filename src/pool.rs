//! A fixed number of workers, and the tasks that they share.
//!
//! A task is encoded ([`job`]) and waits ([`waiting`]). It goes in a packet to a worker, which is a
//! [`member`] here and a [`worker`] there. Its answer comes back through a socket, or through a ring
//! in shared memory ([`answers`]), to where somebody waits for it ([`results`], [`task`]). Whether a
//! task has begun is decided by a [`word`] in shared memory. The [`dispatcher`] holds the state of
//! all this, and [`core`] says which thread runs it.

mod answers;
mod callbacks;
mod core;
mod dispatcher;
mod event;
mod job;
mod luggage;
mod map;
mod member;
mod results;
mod settings;
mod stats;
mod task;
mod waiting;
mod word;
mod worker;

pub use map::{Imap, Tasks};
pub(crate) use results::{Callback, call};
pub use stats::PoolStats;
pub(crate) use task::Pending;
pub use task::Task;

use crate::error::Trying;
use crate::spawn::{Function, ReturnValue, TaskArguments};
use crate::{Error, ForkServer};
use core::Core;
use job::Call;
use nix::unistd::{Pid, getpid};
use settings::Settings;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A fixed number of worker processes that share the tasks which they are given: Python's
/// `multiprocessing.Pool`.
///
/// ```
/// use multiprocessing::{Error, Pool};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let pool = Pool::new(4)?;
///     assert_eq!(pool.map(square, [1, 2, 3])?, [1, 4, 9]);
///     assert_eq!(pool.map(|(a, b)| a + b, [(1, 2), (3, 4)])?, [3, 7]); // Python's starmap
///     Ok(())
/// }
///
/// fn square(number: u64) -> u64 {
///     number * number
/// }
/// ```
///
/// A function is given where it is called, as to [`Process::spawn`](crate::Process::spawn): a
/// function, or a closure that captures nothing. Its arguments and results are types with serde's
/// two traits. They may hold the crate's handles, also a [`Queue`](crate::Queue) or a
/// [`Lock`](crate::Lock): each worker receives the descriptors of shared memory once, however many
/// tasks have them. The end of a pipe or a file travels with its task alone, and is closed with it:
/// a worker that kept it would keep others waiting for the pipe's end.
///
/// **A task that goes wrong** spoils no other. If it panics, the error is its own result. If its
/// worker is killed or exits, the task has [`Error::WorkerDied`], another worker takes the
/// place, and what the dead one had not begun runs elsewhere. In Python, `map` then waits for
/// ever, and a `ProcessPoolExecutor` is of no more use. If workers cannot start at all, for example
/// because the initializer panics, all tasks have [`Error::PoolBroken`].
///
/// **Ctrl-C** ends this program, if it does not handle `SIGINT`, and its workers with it: they
/// ignore the signal, as do the programs that their tasks start, and end with their parent, however
/// it ended.
///
/// **The end.** [`join`](Pool::join) waits until all tasks are done. Dropping the pool is
/// [`terminate`](Pool::terminate).
///
/// A worker has a core to itself only if the tasks do not start threads of their own. Libraries
/// that do, as rayon or OpenBLAS, can be told by a variable: see [`PoolBuilder::env`].
///
/// Beside its encoded arguments, an outstanding task takes about 200 bytes, or 450 from
/// [`apply_async`](Pool::apply_async). A [`Task`] that is done takes about 1,100, beside its result,
/// until you take that.
pub struct Pool {
    core: Arc<Core>,
    /// `None` once it was joined.
    background: Option<JoinHandle<()>>,
    /// The process that has made it. A forked copy leaves the workers alone.
    owner: Pid,
}

/// What a pool is to be like.
///
/// ```
/// use multiprocessing::{Error, Pool};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let pool = Pool::builder().workers(2).tasks_per_worker(100).env("OMP_NUM_THREADS", "1").build()?;
///     assert_eq!(pool.stats().workers, 2);
///     Ok(())
/// }
/// ```
#[derive(Default)]
#[must_use = "a builder starts nothing before `build`"]
pub struct PoolBuilder {
    settings: Settings,
    /// What is wrong with the functions.
    error: Option<Error>,
}

impl Pool {
    /// A pool with this many workers. It starts them and does not wait until they are ready.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`](crate::Process::spawn), and [`Error::System`] for 0 workers.
    pub fn new(workers: usize) -> Result<Self, Error> {
        Self::builder().workers(workers).build()
    }

    /// Begins to describe a pool: how many workers it has, and what they do first.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Calls `f` with each item, and waits for all results, in the order of the items. Python's
    /// `map`, and with tuples as items its `starmap`.
    ///
    /// All items are read at once: for many or endless ones, see [`imap`](Pool::imap).
    ///
    /// # Errors
    ///
    /// The error of the first item that has one, after all are done: those of [`Task::get`].
    #[doc(alias = "starmap")]
    pub fn map<A, R>(
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, Error>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.tasks().map(f, items)
    }

    /// The same, without waiting. [`Task::get`] then waits for all results.
    #[doc(alias = "starmap_async")]
    pub fn map_async<A, R>(&self, f: fn(A) -> R, items: impl IntoIterator<Item = A>) -> Task<Vec<R>>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.tasks().map_async(f, items)
    }

    /// Calls `f` with each item. The results come one by one, in the order of the items, and each
    /// may be an error: those of [`Task::get`].
    ///
    /// It reads items as results are taken, at most 1,000 ahead ([`Tasks::window`] changes that), so
    /// an endless iterator is welcome. (Python's reads all of it.) When it is dropped, the tasks
    /// that have not begun are cancelled.
    ///
    /// If the iterator of the items panics, so does `next`. It has read ahead by then, so the results
    /// of the items before the panic come from the next calls. (In Python, they come first.)
    ///
    /// ```
    /// use multiprocessing::{Error, Pool};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let pool = Pool::new(2)?;
    ///     let halves: Result<Vec<u64>, _> = pool.imap(|n| n / 2, 0..).take(4).collect();
    ///     assert_eq!(halves?, [0, 0, 1, 1]);
    ///     Ok(())
    /// }
    /// ```
    pub fn imap<A, R, I>(&self, f: fn(A) -> R, items: I) -> Imap<'_, A, R, I::IntoIter>
    where
        A: TaskArguments,
        R: ReturnValue,
        I: IntoIterator<Item = A>,
    {
        self.tasks().imap(f, items)
    }

    /// The same, but the results come as the tasks end.
    pub fn imap_unordered<A, R, I>(&self, f: fn(A) -> R, items: I) -> Imap<'_, A, R, I::IntoIter>
    where
        A: TaskArguments,
        R: ReturnValue,
        I: IntoIterator<Item = A>,
    {
        self.tasks().imap_unordered(f, items)
    }

    /// Calls `f(args)` in a worker, and waits for the result.
    ///
    /// # Errors
    ///
    /// Those of [`Task::get`].
    pub fn apply<A, R>(&self, f: fn(A) -> R, args: A) -> Result<R, Error>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.tasks().apply(f, args)
    }

    /// The same, without waiting.
    pub fn apply_async<A, R>(&self, f: fn(A) -> R, args: A) -> Task<R>
    where
        A: TaskArguments,
        R: ReturnValue + 'static,
    {
        self.tasks().apply_async(f, args)
    }

    /// Tasks with a time limit, with retries, or in chunks of a given size.
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks::new(self)
    }

    /// How the pool is doing at this moment.
    pub fn stats(&self) -> PoolStats {
        self.core.dispatcher().stats()
    }

    /// Takes no more tasks: giving one is [`Error::Closed`]. Those that it has are done, and then
    /// the workers end.
    pub fn close(&self) {
        self.core.dispatcher().close();
        self.core.call_background();
    }

    /// Cancels the tasks that have not begun ([`Error::Cancelled`]).
    pub fn cancel_waiting(&self) {
        self.core.dispatcher().cancel_waiting();
        self.core.call_background();
    }

    /// Cancels all tasks ([`Error::Cancelled`]) and ends all workers: by `SIGTERM` and, if one has
    /// not ended half a second later, by `SIGKILL`. It does not wait for that.
    pub fn terminate(&self) {
        self.core.dispatcher().terminate();
        self.core.call_background();
    }

    /// Closes the pool and waits until all tasks are done and all workers have ended. In Python,
    /// `close` comes first.
    pub fn join(mut self) {
        self.finish();
    }

    /// The same, for an executor, which drops the pool after it.
    pub(crate) fn finish(&mut self) {
        if self.owner == getpid() {
            self.close();
            self.wait_for_end();
        }
    }

    fn wait_for_end(&mut self) {
        self.core.wait_for_end();
        self.core.call_background(); // it may be asleep, and is to see the end
        let background = self.background.take();
        // A callback or a waker may have dropped the pool: then it must not wait for itself.
        if let Some(background) = background.filter(|thread| !self.core.is_own(thread)) {
            let _ = background.join(); // it does not panic
        }
    }
}

impl Drop for Pool {
    /// Terminates the pool, and waits until the workers have ended: half a second at most, and as
    /// long as the system takes to kill them. Then it waits for the callbacks ([`Task::on_done`]).
    fn drop(&mut self) {
        if self.background.is_some() && self.owner == getpid() {
            self.terminate();
            self.wait_for_end();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl PoolBuilder {
    /// How many workers the pool has. Without this, as many as this process may use cores
    /// ([`std::thread::available_parallelism`], which knows of affinities and containers).
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = Some(workers);
        self
    }

    /// Calls `f(args)` in each worker before its first task. The arguments are encoded anew for
    /// each worker. If it panics, the worker ends; after three such ends in a row, the pool has no
    /// workers ([`Error::PoolBroken`]). Python starts workers for ever.
    pub fn initializer<A>(mut self, f: fn(A), args: A) -> Self
    where
        A: TaskArguments + Send + 'static,
    {
        match Call::new(f) {
            Ok(call) => self.settings.initialize_with(call, args),
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// Calls `f` in a worker before it ends, unless it is killed.
    pub fn finalizer(mut self, f: fn()) -> Self {
        match Function::new(f as *const ()) {
            Ok(function) => self.settings.finalizer = Some(function),
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// How many tasks a worker does before another takes its place: Python's `maxtasksperchild`.
    /// That bounds what tasks can leak.
    #[doc(alias = "maxtasksperchild")]
    pub fn tasks_per_worker(mut self, tasks: u32) -> Self {
        self.settings.tasks_per_worker = tasks.clamp(1, MOST_TASKS);
        self
    }

    /// How much memory a worker may have, in bytes. If it has reached that when a task is done, it
    /// ends, and another takes its place.
    pub fn memory_per_worker(mut self, bytes: u64) -> Self {
        self.settings.memory_limit = Some(bytes);
        self
    }

    /// Sets a variable of the workers' environment. Libraries that start threads of their own take
    /// their number from one, as rayon from `RAYON_NUM_THREADS` and OpenMP from `OMP_NUM_THREADS`:
    /// set it to 1, or each of the workers starts as many threads as there are cores.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.settings.environment.push((name.into(), value.into()));
        self
    }

    /// The workers are `NAME-1`, `NAME-2`, and so on. Without this, `Worker-1`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Has a fork server start the workers.
    pub fn fork_server(mut self, server: ForkServer) -> Self {
        self.settings.server = Some(server);
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`](crate::Process::spawn); [`Error::NotInExecutable`] for functions
    /// of a shared library; [`Error::System`] for 0 workers.
    pub fn build(self) -> Result<Pool, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.settings.workers == Some(0) {
            return Err(Error::refused("make a pool of 0 workers", libc::EINVAL));
        }
        let core = Arc::new(Core::new(self.settings)?);
        let background = Arc::clone(&core);
        let thread = thread::Builder::new().name("pool".into()).spawn(move || background.run());
        let thread = thread.trying_to("start the thread of a pool");
        let background = Some(thread.inspect_err(|_| core.dispatcher().give_up())?);
        Ok(Pool { core, background, owner: getpid() })
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("PoolBuilder").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

/// A worker counts its tasks in a word.
const MOST_TASKS: u32 = 1 << 31;
