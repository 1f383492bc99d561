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
//! Each module uses those below it:
//!
//! ```text
//! process     shared_memory    a handle · Value, Array
//! spawn       sync             how a child starts · locks
//! pipe        memory           framed messages · a shared block
//! descriptor  wait             what travels beside a message · waiting for the first of many
//! error       sys              one error type · the few system calls that nix lacks
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
pub use pipe::{Connection, Receiver, SendError, Sender, pipe, pipe_one_way};
pub use process::{ForkServer, Process, ProcessBuilder};
pub use shared_memory::{
    Array, ArrayGuard, Atomic, Plain, RawArray, RawValue, SharedMemory, Value, ValueGuard,
};
pub use spawn::{
    Arguments, CurrentProcess, ParentProcess, ReturnValue, current_process, init, parent_process,
};
pub use sync::{
    Barrier, BarrierWaitResult, BoundedSemaphore, Condition, Event, Guard, Lock, LockGuard, Permit,
    RLock, Semaphore, WaitTimeoutResult,
};
pub use wait::wait;
