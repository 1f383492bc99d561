//! Python's `multiprocessing`, for Rust on Linux: the crate that the book
//! *Multiprocessing in Rust* builds.
//!
//! ```
//! use multiprocessing::{Error, Process};
//!
//! fn main() -> Result<(), Error> {
//!     multiprocessing::init(); // the child of a spawn goes no further
//!     let child = Process::spawn(square, 12)?;
//!     assert_eq!(child.join()?, 144); // what `square` returned
//!     Ok(())
//! }
//!
//! fn square(number: u64) -> u64 {
//!     number * number
//! }
//! ```
//!
//! # What Python calls it
//!
//! | Python | here |
//! |---|---|
//! | `if __name__ == "__main__":`, `freeze_support()` | [`init`], the first line of `main` |
//! | `Process(target=f, args=a)`, `start()` | [`Process::spawn`]; a name, a daemon and so on: [`ProcessBuilder`] |
//! | `join()`, `join(timeout)` | [`Process::join`] returns the result; [`Process::wait_timeout`] leaves it |
//! | `exitcode`, `is_alive()`, `terminate()`, `kill()` | [`Process::exit_code`] and the same names |
//! | `sentinel`, `connection.wait(…)` | [`wait()`] takes processes, connections and whatever has a descriptor |
//! | `close()` of a process or a connection | drop the handle |
//! | `set_start_method`, `get_context` | [`Process::spawn`], [`Process::fork`], [`ForkServer`] |
//! | `current_process()`, `parent_process()` | [`current_process`], [`parent_process`] |
//! | `active_children()` | keep the handles in a `Vec` |
//! | `cpu_count()` | [`std::thread::available_parallelism`] |
//! | `Pipe()`, `Pipe(duplex=False)` | [`pipe()`], [`pipe_one_way`] |
//! | none: `send` may wait | [`Sender::try_send`] never waits; [`Sender::writable`] tells [`wait()`] when there is room |
//! | `send_bytes`, `recv_bytes`, `recv_bytes_into` | the same names, on a `Connection<[u8], [u8]>` |
//! | `Queue(n)`, `get_nowait`, `qsize`, `empty`, `full` | [`Queue`]: `try_get`, `len`, `is_empty`, `is_full` |
//! | `Queue()`, `SimpleQueue()` | [`Queue`] with a limit that you choose |
//! | `JoinableQueue`, `task_done`, `join` | a second [`Queue`], for the answers |
//! | `join_thread`, `cancel_join_thread` | there is no thread; [`Queue::close`] is `shutdown` |
//! | `Pool`, `map`, `starmap`, `imap`, `apply_async` | [`Pool`] and the same names; `starmap` is [`Pool::map`] over tuples |
//! | `chunksize`, `maxtasksperchild`, `initializer` | [`Tasks::chunk_size`], [`PoolBuilder::tasks_per_worker`], [`PoolBuilder::initializer`] |
//! | `AsyncResult`, `Future` | [`Task`] |
//! | `concurrent.futures` | [`Executor`]: [`ThreadPoolExecutor`], [`ProcessPoolExecutor`]; [`as_completed`], [`wait_for_tasks`] |
//! | `Value`, `Array`, `get_lock()` | [`Value`], [`Array`]: `lock()` gives the data |
//! | `Value(…, lock=False)`, `RawValue`, `RawArray` | [`RawValue`], [`RawArray`] |
//! | `SharedMemory` | [`SharedMemory`]; for `ShareableList` send a [`Vec`], or share an [`Array`] |
//! | `Lock`, `RLock`, `Semaphore`, `Event`, `Condition`, `Barrier` | the same names |
//! | `Manager()`, `manager.list()`, `manager.dict()`, … | [`Manager::start`], [`Manager::list`], [`Manager::dict`] and the same names |
//! | `ListProxy`, `DictProxy`, `ValueProxy`, … | the same names |
//! | `BaseManager.register(name, callable)` | [`Manager::register`], [`Manager::register_function`]; a class of your own: [`Manager::share`] |
//! | `BaseManager(address, authkey)`, `connect()`, `shutdown()` | [`Manager::serve`], [`Manager::connect`], [`Manager::shutdown`] |
//! | `Listener(address, authkey=k)`, `Client(…)` | [`Listener::bind`], [`Client::connect`] |
//! | `authkey`, `AuthenticationError` | [`Key`], [`Error::Authentication`] |
//! | `get_logger()`, `log_to_stderr()` | there is no logger: use the one of your program |
//!
//! # Inside
//!
//! Each module uses those below it:
//!
//! ```text
//! manager     executor         a server process and its proxies · tasks in threads or in processes
//!             pool             workers, tasks, results
//! queue                        bounded, many to many
//! process     shared_memory    a handle · Value, Array
//! network                      connections for those who have the key
//! tracker                      removes files after a kill
//! spawn       sync             how a child starts · locks
//! pipe        memory           framed messages · a shared block
//! descriptor  wait             what travels beside a message · waiting for the first of many
//! error       sys              one error type · the few system calls that nix lacks
//! ```

mod descriptor;
mod error;
mod executor;
mod manager;
mod memory;
mod network;
mod pipe;
mod pool;
mod process;
mod queue;
mod shared_memory;
mod spawn;
mod sync;
mod sys;
mod tracker;
mod wait;

pub use descriptor::Descriptor;
pub use error::Error;
pub use executor::{
    Executor, Map, ProcessPoolExecutor, ThreadPoolExecutor, WaitFor, as_completed, wait_for_tasks,
};
pub use manager::{
    BarrierProxy, BaseProxy, ConditionProxy, DictProxy, EventProxy, ListProxy, LockProxy,
    LockProxyGuard, Manager, ManagerBuilder, NamespaceProxy, PermitProxy, QueueProxy, RLockProxy,
    SemaphoreProxy, Shared, ValueProxy,
};
pub use network::{Address, Client, Key, Listener};
pub use pipe::{Connection, Receiver, SendError, Sender, Writable, pipe, pipe_one_way};
pub use pool::{Imap, Pool, PoolBuilder, PoolStats, Task, Tasks};
pub use process::{ForkServer, Process, ProcessBuilder};
pub use queue::Queue;
pub use shared_memory::{
    Array, ArrayGuard, Atomic, Plain, RawArray, RawValue, SharedMemory, Value, ValueGuard,
};
pub use spawn::{
    Arguments, CurrentProcess, ParentProcess, ReturnValue, TaskArguments, current_process, init,
    parent_process,
};
pub use sync::{
    Barrier, BarrierWaitResult, BoundedSemaphore, Condition, Event, Guard, Lock, LockGuard, Permit,
    RLock, Semaphore, WaitTimeoutResult,
};
pub use wait::wait;
