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
//! Each module stands on those below it:
//!
//! ```text
//! process  shared_memory     a handle · Value, Array
//! spawn  pipe  sync          how a child starts · framed messages · locks
//! descriptor  memory  wait   what travels beside a message · a shared block · the first of many
//! error  sys                 one error type · the few calls that nix does not have
//! ```

mod descriptor;
mod error;
mod memory;
mod pipe;
mod process;
mod shared_memory;
mod spawn;
mod sync;
mod sys;
mod wait;

pub use descriptor::Descriptor;
pub use error::Error;
pub use pipe::{Connection, Nothing, Receiver, SendError, Sender, pipe, pipe_one_way};
pub use process::{ForkServer, Process, ProcessBuilder};
pub use shared_memory::{
    Array, ArrayGuard, Atomic, RawArray, RawValue, SharedMemory, Value, ValueGuard,
};
pub use spawn::{
    Arguments, CurrentProcess, ParentProcess, ReturnValue, current_process, init, parent_process,
};
pub use sync::{
    Barrier, BoundedPermit, BoundedSemaphore, Condition, Event, Guard, Lock, LockGuard, Mutex,
    Permit, RLock, Semaphore,
};
pub use wait::wait;
