//! A number of permits.
//!
//! One word is the number of free permits. `acquire` subtracts 1 if the word is not 0, and
//! sleeps while it is 0. `release` adds 1 and wakes all waiters, in one system call. A process
//! that is killed has taken a permit or has not, and has released one or has not; a waiter
//! that is killed has changed nothing.
//!
//! A bounded semaphore is two of these, `free` and `taken`, whose sum never exceeds the limit.
//! `acquire` moves a permit from `free` to `taken`, and `release` moves it back. It takes the
//! permit from `taken` first, which fails if none was acquired. A kill between the two steps
//! of a move costs one permit, as a kill of its holder does.

use super::word::Word;
use super::{always, made_of_memory};
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::futex::{self, Operation};
use crate::sys::process_id;
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

/// Limits how many processes do something at once: Python's `Semaphore`.
///
/// [`acquire`](Semaphore::acquire) takes a permit, or waits for one. The permit goes back when
/// its guard is dropped. A semaphore can also count, for example the messages in a buffer: one
/// process calls [`release`](Semaphore::release) for each message, and the other acquires a
/// permit and calls [`forget`](Permit::forget).
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
/// one of them gets the permit. If a process is killed while it *holds* a permit, the permit
/// is lost, as in Python, because a number does not record its holders. Where that must not
/// happen, use a [`Lock`](crate::Lock) for each permit.
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

/// A permit of a [`Semaphore`] or a [`BoundedSemaphore`]. It goes back when this is dropped. The
/// copy in a forked child does nothing when it is dropped.
#[derive(Debug)]
#[must_use = "bind it (`let _permit = …`) to hold it, or call `forget` if you `release` it yourself"]
pub struct Permit<'a> {
    free: &'a Semaphore,
    /// Set for a permit of a bounded semaphore.
    taken: Option<&'a Semaphore>,
    process: u32,
}

impl Permit<'_> {
    /// Keeps the permit. Only [`release`](Semaphore::release) can give one back.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.process == process_id::cached() {
            let _ = give_back(self.free, self.taken); // `None`: it was released already
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
    /// A semaphore with this many permits.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it, or if `permits` is
    /// more than 1,073,741,823 (half of `i32::MAX`).
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
        always(self.acquire_until(None))
    }

    /// Takes a permit, or returns `None` if there is none.
    #[must_use = "a permit goes back when it is dropped"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let less = |permits: u32| permits.checked_sub(1);
        let taken = self.0.get().fetch_update(AcqRel, Acquire, less);
        taken.ok().map(|_| Permit { free: self, taken: None, process: process_id::cached() })
    }

    /// Waits until there is a permit, and takes it: `None` if there is none within `timeout`
    /// (of the monotonic clock).
    #[must_use = "a permit goes back when it is dropped"]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_until(deadline(timeout))
    }

    // ANCHOR: acquire
    fn acquire_until(&self, deadline: Deadline) -> Option<Permit<'_>> {
        loop {
            let permit = self.try_acquire();
            // The futex does not sleep if a permit has been released since.
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

/// A [`Semaphore`] that never has more permits than it was made with: Python's
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
/// assert!(semaphore.release().is_err()); // both permits are free
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoundedSemaphore {
    free: Semaphore,
    taken: Semaphore,
    limit: u32,
}

impl BoundedSemaphore {
    /// A semaphore with this many permits, and never more.
    ///
    /// # Errors
    ///
    /// Those of [`Semaphore::new`].
    pub fn new(permits: u32) -> Result<Self, Error> {
        Ok(Self { free: Semaphore::new(permits)?, taken: Semaphore::new(0)?, limit: permits })
    }

    /// See [`Semaphore::acquire`].
    pub fn acquire(&self) -> Permit<'_> {
        self.bounded(self.free.acquire())
    }

    /// See [`Semaphore::try_acquire`].
    #[must_use = "a permit goes back when it is dropped"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.free.try_acquire().map(|permit| self.bounded(permit))
    }

    /// See [`Semaphore::acquire_timeout`].
    #[must_use = "a permit goes back when it is dropped"]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.free.acquire_timeout(timeout).map(|permit| self.bounded(permit))
    }

    fn bounded<'a>(&'a self, mut permit: Permit<'a>) -> Permit<'a> {
        self.taken.release();
        permit.taken = Some(&self.taken);
        permit
    }

    /// Gives back a permit that was forgotten. Where this returns an error, Python raises
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
