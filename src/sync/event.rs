//! A signal that stays.

use super::words::Words;
use crate::Error;
use crate::sys::futex::{self, Change, Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// Set or not; processes wait until it is set: Python's `Event`.
///
/// Whatever a process did before it set the event is seen by those who waited for
/// it. A process that is killed, at any instant, has set it for all or for none.
///
/// # Example
///
/// ```
/// use multiprocessing::{Event, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let event = Event::new()?;
///     let child = Process::spawn(|event: Event| event.wait(), event.try_clone()?)?;
///     event.set();
///     child.join()?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Event(Words<1>);

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Words::new().map(Self)
    }

    /// Another handle of the same event, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    /// Sets it: all who wait go on, and who comes later does not wait.
    pub fn set(&self) {
        futex::change_and_wake_all(&self.0.get()[0], Change::Set(1));
    }

    /// Clears it: who comes from now on waits. Who was woken by an earlier
    /// [`set`](Event::set) but did not run yet waits again.
    pub fn clear(&self) {
        self.0.get()[0].store(0, Release);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.get()[0].load(Acquire) == 1
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until it is set, but no longer than `timeout`, by the monotonic clock.
    /// Whether it is set.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(deadline(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> bool {
        while !self.is_set() {
            if !futex::wait(&self.0.get()[0], 0, deadline) {
                return self.is_set();
            }
        }
        true
    }
}
