//! A signal that stays.
//!
//! One word is 1 if the event is set, and 0 if not. Waiters sleep while it is 0. `set` writes
//! it and wakes all waiters in one system call, so a kill cannot come between the two.

use super::made_of_memory;
use super::word::Word;
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::futex::{self, Operation};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// A flag that processes wait for: Python's `Event`.
///
/// What a process did before it set the event is visible to every process that has waited for
/// the event. A process that is killed, at any instant, has set it for all waiters or for none.
/// A waiter that is killed harms nobody; in Python, `set` then never returns.
///
/// # Example
///
/// ```
/// use multiprocessing::{Event, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let event = Event::new()?;
///     let child = Process::spawn(|event: Event| event.wait(), event.clone())?;
///     event.set();
///     child.join()?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct Event(Word);

made_of_memory!(Event, |memory| Word::received(memory, Kind::Event));

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Word::new(Kind::Event).map(Self)
    }

    /// Sets it. All waiters go on, and later ones do not wait.
    pub fn set(&self) {
        futex::change_and_wake_all(self.0.get(), Operation::Set(1));
    }

    /// Clears it, so that later calls of [`wait`](Event::wait) wait. So does a waiter that
    /// [`set`](Event::set) has woken but that has not run yet.
    pub fn clear(&self) {
        self.0.get().store(0, Release);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.get().load(Acquire) == 1
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until it is set, but no longer than `timeout` (of the monotonic clock). Returns
    /// whether it is set, as Python's `wait(timeout)` does.
    #[must_use = "it may not be set"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(deadline(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> bool {
        while !self.is_set() {
            if !futex::wait(self.0.get(), 0, deadline) {
                return self.is_set();
            }
        }
        true
    }
}
