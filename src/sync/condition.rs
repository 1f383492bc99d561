//! Waiting, under a lock, until something is true.
//!
//! One word counts the notifications. A waiter reads it while it holds the lock, unlocks,
//! and sleeps while the word has that value. A notifier adds 1 and wakes all waiters, in one
//! system call. So a notification between the unlock and the sleep is not missed, and a kill
//! leaves the word either unchanged, or one higher with all waiters awake. (Exactly 2^32
//! notifications between the unlock and the sleep would be missed.)

use super::lock::Guard;
use super::made_of_memory;
use super::word::Word;
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::futex::{self, Operation};
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Waits until what a lock protects has changed: Python's `Condition`, with the methods of
/// [`std::sync::Condvar`].
///
/// Use it with one lock: that of a [`Value`](crate::Value), an [`Array`](crate::Array), a
/// [`Lock`](crate::Lock) or an [`RLock`](crate::RLock). A wait releases the lock, and takes it
/// again before it returns.
///
/// [`notify_all`](Condition::notify_all) wakes all waiters, and each checks again what it
/// waits for. There is no way to wake a single waiter: it could be killed at that moment, and
/// the others would sleep on. (In Python, a notifier hangs after a waiter was killed, and
/// keeps the lock.) No condition can help if a process is killed after it has changed the data
/// and before it has notified. Where that may happen, wait with a timeout.
///
/// # Example
///
/// ```
/// use multiprocessing::{Condition, Process, Value};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (level, changed) = (Value::new(0)?, Condition::new()?);
///     let child = Process::spawn(fill, (level.clone(), changed.clone()))?;
///     let guard = changed.wait_while(level.lock()?, |level| *level < 3)?;
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
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct Condition(Word);

made_of_memory!(Condition, |memory| Word::received(memory, Kind::Condition));

/// Whether a wait ended because of its timeout, as in [`std::sync::WaitTimeoutResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) fn new(timed_out: bool) -> Self {
        Self(timed_out)
    }

    /// Whether the timeout has passed.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condition {
    /// A condition that nobody waits for.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Word::new(Kind::Condition).map(Self)
    }

    /// Waits for a notification. It may also return without one, so check again what you wait
    /// for, or use [`wait_while`](Condition::wait_while).
    ///
    /// # Errors
    ///
    /// Those of taking the lock. After an error the guard is gone.
    pub fn wait<G: Guard>(&self, guard: G) -> Result<G, Error> {
        self.wait_until(guard, None).map(|(guard, _)| guard)
    }

    /// Waits while `condition` is true. Python's `wait_for` waits until its predicate is.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Condition::wait).
    pub fn wait_while<G: Guard>(
        &self,
        guard: G,
        condition: impl FnMut(&mut G::Data) -> bool,
    ) -> Result<G, Error> {
        self.wait_while_until(guard, None, condition).map(|(guard, _)| guard)
    }

    /// Waits for a notification, but no longer than `timeout` (of the monotonic clock). As
    /// [`wait`](Condition::wait), it may return early without one.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Condition::wait).
    pub fn wait_timeout<G: Guard>(
        &self,
        guard: G,
        timeout: Duration,
    ) -> Result<(G, WaitTimeoutResult), Error> {
        self.wait_until(guard, deadline(timeout))
    }

    /// Waits while `condition` is true, but no longer than `timeout` (of the monotonic clock),
    /// and then until the lock is free. If the result is a timeout, `condition` is still true.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Condition::wait).
    pub fn wait_timeout_while<G: Guard>(
        &self,
        guard: G,
        timeout: Duration,
        condition: impl FnMut(&mut G::Data) -> bool,
    ) -> Result<(G, WaitTimeoutResult), Error> {
        self.wait_while_until(guard, deadline(timeout), condition)
    }

    fn wait_while_until<G: Guard>(
        &self,
        mut guard: G,
        deadline: Deadline,
        mut condition: impl FnMut(&mut G::Data) -> bool,
    ) -> Result<(G, WaitTimeoutResult), Error> {
        let mut timed_out = WaitTimeoutResult(false);
        while condition(guard.data()) {
            if timed_out.0 {
                return Ok((guard, timed_out));
            }
            (guard, timed_out) = self.wait_until(guard, deadline)?;
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    // ANCHOR: wait
    fn wait_until<G: Guard>(
        &self,
        guard: G,
        deadline: Deadline,
    ) -> Result<(G, WaitTimeoutResult), Error> {
        // This is read under the lock. A process that changes the data later also changes this
        // number, and then the futex does not sleep.
        let seen = self.0.get().load(Relaxed);
        let mut in_time = true;
        let sleep = || in_time = futex::wait(self.0.get(), seen, deadline);
        match guard.held().unlocked(sleep) {
            Ok(()) => Ok((guard, WaitTimeoutResult(!in_time))),
            Err(Error::OwnerDied) => Err(Error::OwnerDied), // dropping the guard unlocks
            Err(error) => {
                mem::forget(guard); // it no longer holds the lock
                Err(error)
            }
        }
    }

    /// Wakes all waiters.
    pub fn notify_all(&self) {
        futex::change_and_wake_all(self.0.get(), Operation::Add(1));
    }
    // ANCHOR_END: wait
}
