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
//! process               a handle
//! spawn  pipe  wait     how a child starts · framed messages, file descriptors · the first of many
//! error  sys            one error type · the few calls that nix does not have
//! ```

mod error;
mod pipe;
mod process;
mod spawn;
mod sys;
mod wait;

pub use error::Error;
pub use pipe::{Connection, Descriptor, Nothing, Receiver, SendError, Sender, pipe, pipe_one_way};
pub use process::{Builder, ForkServer, Process};
pub use spawn::{current_process_name, init};
pub use wait::wait;
