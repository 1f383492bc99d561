//! A number of permits.
//!
//! One word holds the number of free permits. `acquire` takes one off it if it is not 0,
//! and sleeps on 0 otherwise. `release` adds one and wakes all waiters, in one system call.
//! A process that is killed between two steps has taken a permit or has not, has released
//! one or has not; a waiter that is killed has changed nothing.
//!
//! A bounded semaphore is two of these, `free` and `taken`, whose sum is never more than the
//! limit. `acquire` moves a permit from the first to the second, `release` moves it back: it
//! must take it out of `taken` first, and that fails if none was acquired. A kill between
//! the two steps of a move costs one permit, as a kill of its holder does.

use super::made_of_memory;
use super::word::Word;
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::futex::{self, Operation};
use crate::sys::process_id;
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

/// Limits how many may do something at once: Python's `Semaphore`.
///
/// [`acquire`](Semaphore::acquire) takes a permit, or waits for one. The permit goes
/// back when its guard is dropped. A semaphore can also count, such as the messages in a
/// buffer: one process [`release`](Semaphore::release)s for each message, the other
/// acquires and [`forget`](Permit::forget)s the permit.
///
/// ```
/// let semaphore = multiprocessing::Semaphore::new(1)?;
/// let _ = semaphore.acquire(); // dropped at once: the permit is back
/// assert_eq!(semaphore.available(), 1);
/// let _permit = semaphore.acquire(); // held to the end of the block
/// assert_eq!(semaphore.available(), 0);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// A process that is killed while it *waits* harms nobody: a release wakes all waiters, and
/// one of them gets the permit. A process that is killed while it *holds* a permit takes it
/// along, as in Python: a number does not know who has it. Where that must not happen, use
/// a [`Lock`](crate::Lock) for each permit.
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, Semaphore};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let ready = Semaphore::new(0)?;
///     let child = Process::spawn(|ready: Semaphore| ready.release(), ready.clone())?;
///     ready.acquire().forget(); // what the child released
///     assert!(ready.try_acquire().is_none());
///     child.join()?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct Semaphore(Word);

made_of_memory!(Semaphore, |memory| Word::received(memory, Kind::Semaphore));

/// A permit of a [`Semaphore`] or a [`BoundedSemaphore`]; it goes back when this is dropped. A
/// copy that a forked child has does nothing when it is dropped.
#[derive(Debug)]
#[must_use = "the permit goes back when it is dropped"]
pub struct Permit<'a> {
    free: &'a Semaphore,
    /// That of a bounded semaphore.
    taken: Option<&'a Semaphore>,
    process: u32,
}

impl Permit<'_> {
    /// Keeps the permit for good: only [`release`](Semaphore::release) gives one back.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.process == process_id::cached() {
            let _ = give_back(self.free, self.taken); // `None`: somebody released it already
        }
    }
}

/// Releases a permit. `None` if a bounded semaphore has all its permits.
fn give_back(free: &Semaphore, taken: Option<&Semaphore>) -> Option<()> {
    if let Some(taken) = taken {
        taken.try_acquire()?.forget();
    }
    free.release();
    Some(())
}

impl Semaphore {
    /// A semaphore with so many permits.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it, or for more
    /// than 1,073,741,823 permits (half of `i32::MAX`).
    pub fn new(permits: u32) -> Result<Self, Error> {
        if permits > i32::MAX as u32 / 2 {
            let what = format!("make a semaphore of {permits} permits");
            return Err(Error::refused(what, libc::EINVAL));
        }
        let word = Word::new(Kind::Semaphore)?;
        word.get().store(permits, Relaxed);
        Ok(Self(word))
    }

    /// Waits until there is a permit, and takes it.
    pub fn acquire(&self) -> Permit<'_> {
        self.acquire_until(None).unwrap_or_else(|| unreachable!("it was waited for"))
    }

    /// Takes a permit if there is one: `None` if not.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let less = |permits: u32| permits.checked_sub(1);
        let taken = self.0.get().fetch_update(AcqRel, Acquire, less);
        taken.ok().map(|_| Permit { free: self, taken: None, process: process_id::cached() })
    }

    /// Waits until there is a permit, and takes it: `None` if there is none within
    /// `timeout`, by the monotonic clock.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_until(deadline(timeout))
    }

    // ANCHOR: acquire
    fn acquire_until(&self, deadline: Deadline) -> Option<Permit<'_>> {
        loop {
            let permit = self.try_acquire();
            // The futex does not sleep if a permit has come since.
            if permit.is_some() || !futex::wait(self.0.get(), 0, deadline) {
                return permit.or_else(|| self.try_acquire());
            }
        }
    }

    /// Adds a permit, whether or not one was acquired before.
    ///
    /// # Panics
    ///
    /// If there are more than 2,147,483,646 permits (`i32::MAX`).
    pub fn release(&self) {
        assert!(self.available() < i32::MAX as u32, "too many permits");
        futex::change_and_wake_all(self.0.get(), Operation::Add(1));
    }
    // ANCHOR_END: acquire

    /// How many permits are free at this moment: Python's `get_value`.
    pub fn available(&self) -> u32 {
        self.0.get().load(Acquire)
    }
}

/// A [`Semaphore`] that never has more permits than at first: Python's
/// `BoundedSemaphore`.
///
/// # Example
///
/// ```
/// use multiprocessing::BoundedSemaphore;
///
/// let semaphore = BoundedSemaphore::new(2)?;
/// let permit = semaphore.acquire();
/// drop(permit);
/// assert!(semaphore.release().is_err()); // both are there
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoundedSemaphore {
    free: Semaphore,
    taken: Semaphore,
    limit: u32,
}

impl BoundedSemaphore {
    /// A semaphore with so many permits, and never more.
    ///
    /// # Errors
    ///
    /// Those of [`Semaphore::new`].
    pub fn new(permits: u32) -> Result<Self, Error> {
        Ok(Self { free: Semaphore::new(permits)?, taken: Semaphore::new(0)?, limit: permits })
    }

    /// See [`Semaphore::acquire`].
    pub fn acquire(&self) -> Permit<'_> {
        self.note(self.free.acquire())
    }

    /// See [`Semaphore::try_acquire`].
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.free.try_acquire().map(|permit| self.note(permit))
    }

    /// See [`Semaphore::acquire_timeout`].
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.free.acquire_timeout(timeout).map(|permit| self.note(permit))
    }

    fn note<'a>(&'a self, mut permit: Permit<'a>) -> Permit<'a> {
        self.taken.release();
        permit.taken = Some(&self.taken);
        permit
    }

    /// Gives back a permit that was forgotten. Where this is an error, Python raises
    /// `ValueError`.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPermits`] if no permit is missing.
    pub fn release(&self) -> Result<(), Error> {
        let given_back = give_back(&self.free, Some(&self.taken));
        given_back.ok_or(Error::TooManyPermits { limit: self.limit })
    }

    /// See [`Semaphore::available`].
    pub fn available(&self) -> u32 {
        self.free.available()
    }
}
