//! Waiting, under a lock, until something is so.

use super::lock::Guard;
use super::words::Words;
use crate::Error;
use crate::sys::futex::{self, Change, Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Waits until what a lock protects has changed: Python's `Condition`.
///
/// The lock is that of a [`Value`](crate::Value), an [`Array`](crate::Array) or a
/// [`Lock`](crate::Lock), and always the same one. Waiting gives the lock back, and
/// takes it again before it returns.
///
/// [`notify_all`](Condition::notify_all) wakes all who wait, and each looks whether
/// what it waits for is so. There is no way to wake one alone: it could be killed at
/// that moment, and the others would sleep on (Python's `notify` has this fault).
/// What no condition can mend is a process that is killed after it has changed the
/// data and before it has notified. Where that may be, wait with a time-out.
///
/// # Example
///
/// ```
/// use multiprocessing::{Condition, Process, Value};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (level, changed) = (Value::new(0)?, Condition::new()?);
///     let child = Process::spawn(fill, (level.try_clone()?, changed.try_clone()?))?;
///     let guard = changed.wait_while(level.lock()?, |level| **level < 3)?;
///     assert_eq!(*guard, 3);
///     drop(guard);
///     child.join()?;
///     Ok(())
/// }
///
/// fn fill((level, changed): (Value<u32>, Condition)) {
///     for _ in 0..3 {
///         *level.lock().expect("no holder dies") += 1;
///         changed.notify_all();
///     }
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Condition(Words<1>);

impl Condition {
    /// A condition that nobody waits for.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Words::new().map(Self)
    }

    /// Another handle of the same condition, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    /// Waits until somebody notifies. It may return without: look again at what you
    /// wait for, or take [`wait_while`](Condition::wait_while).
    ///
    /// # Errors
    ///
    /// Those of taking the lock again; then there is no guard.
    pub fn wait<G: Guard>(&self, guard: G) -> Result<G, Error> {
        self.wait_until(guard, None).map(|(guard, _)| guard)
    }

    /// Waits while `condition` is true: Python's `wait_for`, the other way round.
    ///
    /// # Errors
    ///
    /// Those of taking the lock again; then there is no guard.
    pub fn wait_while<G: Guard>(
        &self,
        guard: G,
        condition: impl FnMut(&mut G) -> bool,
    ) -> Result<G, Error> {
        self.wait_while_until(guard, condition, None)
    }

    /// The same, but no longer than `timeout`, by the monotonic clock, and as long as it
    /// takes to get the lock again. The condition may be true then: look.
    ///
    /// # Errors
    ///
    /// Those of taking the lock again; then there is no guard.
    pub fn wait_while_timeout<G: Guard>(
        &self,
        guard: G,
        condition: impl FnMut(&mut G) -> bool,
        timeout: Duration,
    ) -> Result<G, Error> {
        self.wait_while_until(guard, condition, deadline(timeout))
    }

    fn wait_while_until<G: Guard>(
        &self,
        mut guard: G,
        mut condition: impl FnMut(&mut G) -> bool,
        deadline: Deadline,
    ) -> Result<G, Error> {
        let mut in_time = true;
        while in_time && condition(&mut guard) {
            (guard, in_time) = self.wait_until(guard, deadline)?;
        }
        Ok(guard)
    }

    // ANCHOR: wait
    fn wait_until<G: Guard>(&self, guard: G, deadline: Deadline) -> Result<(G, bool), Error> {
        let [notified] = self.0.get();
        // Under the lock: who changes something afterwards also changes this number,
        // and then the futex does not sleep.
        let seen = notified.load(Relaxed);
        let mut in_time = true;
        let locked = guard.held().unlocked(|| in_time = futex::wait(notified, seen, deadline));
        match locked {
            Ok(()) => Ok((guard, in_time)),
            Err(Error::OwnerDied) => Err(Error::OwnerDied), // and the guard is dropped
            Err(error) => {
                mem::forget(guard); // the lock is not held
                Err(error)
            }
        }
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        futex::change_and_wake_all(&self.0.get()[0], Change::Add(1));
    }
    // ANCHOR_END: wait
}
