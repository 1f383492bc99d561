//! A child by `fork`: for programs with one thread.

use super::Process;
use super::builder::next_name;
use super::child::Child;
use crate::Error;
use crate::error::Trying;
use crate::pipe::Channel;
use crate::spawn::{exit_now, outcome_of, set_name};
use nix::unistd::{ForkResult, fork};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Write, stdout};

impl<R: Serialize + DeserializeOwned> Process<R> {
    /// Starts a child as a copy of this process, which calls `f`: Python's start
    /// method fork. `f` may capture anything; what it changes, it changes in the
    /// child's copy. Rust's `stdout` is flushed first, so that nothing is printed
    /// twice.
    ///
    /// The child inherits every open descriptor of this process, so a pipe may never
    /// come to its end. It ends by `_exit` when `f` has returned or panicked: no
    /// destructor runs in it for what the parent owns. It needs no
    /// [`init`](crate::init).
    ///
    /// # Safety
    ///
    /// The calling process has one thread. The child of a program with threads may
    /// call only what signal-safety(7) lists, and this function calls more: a lock
    /// that another thread holds now is never released in the child, and what it
    /// protects may be half changed. A program with threads uses
    /// [`spawn`](Process::spawn) or a [`ForkServer`](crate::ForkServer).
    ///
    /// And the calling process holds no lock of an [`Array`](crate::Array) or a
    /// [`Value`](crate::Value): the child would have a copy of the guard, and both
    /// could change the same memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system starts no process or has no descriptors left.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     let numbers = vec![1, 2, 3];
    ///     // SAFETY: this program has one thread.
    ///     let child = unsafe { Process::fork(|| numbers.iter().sum::<i32>()) }?;
    ///     assert_eq!(child.join()?, 6);
    ///     Ok(())
    /// }
    /// ```
    pub unsafe fn fork(f: impl FnOnce() -> R) -> Result<Self, Error> {
        let name = next_name();
        let (ours, theirs) = Channel::pair()?;
        stdout().flush().trying_to("flush the standard output before a fork")?;
        // SAFETY: as the caller promises.
        match unsafe { fork() }.trying_to("fork")? {
            ForkResult::Parent { child } => Ok(Self::new(name, Child::new(child)?, ours)),
            ForkResult::Child => {
                drop(ours);
                set_name(name);
                exit_now(outcome_of(|| Ok(f())).send(&theirs))
            }
        }
    }
}
