//! A number of permits.

use super::words::Words;
use crate::Error;
use crate::sys::futex::{self, Change, Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::mem;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

/// At most so many at a time: Python's `Semaphore`.
///
/// [`acquire`](Semaphore::acquire) takes a permit, or waits for one. The permit goes
/// back when its guard is dropped. A semaphore can also count: one process
/// [`release`](Semaphore::release)s, another acquires and forgets the guard.
///
/// A process that is killed while it *waits* touches nobody else: a release wakes all
/// who wait, and one of them gets the permit. A process that is killed while it
/// *holds* a permit takes it along, as in Python: a number does not know who has it.
/// If that must not be, take a [`Lock`](crate::Lock) for each permit.
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, Semaphore};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let ready = Semaphore::new(0)?;
///     let child = Process::spawn(|ready: Semaphore| ready.release(), ready.try_clone()?)?;
///     std::mem::forget(ready.acquire()); // what the child released
///     assert!(ready.try_acquire().is_none());
///     child.join()?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Semaphore(Words<1>);

/// A permit of a [`Semaphore`]; it goes back when this is dropped.
#[derive(Debug)]
#[must_use = "the permit goes back when it is dropped"]
pub struct Permit<'a>(&'a Semaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Semaphore {
    /// With so many permits.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it, or if there
    /// are more than half of `i32::MAX` permits.
    pub fn new(permits: u32) -> Result<Self, Error> {
        if permits > i32::MAX as u32 / 2 {
            let what = format!("make a semaphore of {permits} permits");
            return Err(Error::refused(what, libc::EINVAL));
        }
        let semaphore = Self(Words::new()?);
        semaphore.permits().store(permits, Relaxed);
        Ok(semaphore)
    }

    /// Another handle of the same semaphore, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    fn permits(&self) -> &AtomicU32 {
        &self.0.get()[0]
    }

    /// Waits until there is a permit and takes it.
    pub fn acquire(&self) -> Permit<'_> {
        // Without a deadline it comes back with a permit.
        self.acquire_until(None).unwrap_or_else(|| unreachable!())
    }

    /// Takes a permit if there is one: `None` if not.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let less = |permits: u32| permits.checked_sub(1);
        self.permits().fetch_update(AcqRel, Acquire, less).ok().map(|_| Permit(self))
    }

    /// Waits until there is a permit, but no longer than `timeout`, by the monotonic
    /// clock: `None` if there is none then.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_until(deadline(timeout))
    }

    // ANCHOR: acquire
    fn acquire_until(&self, deadline: Deadline) -> Option<Permit<'_>> {
        loop {
            let permit = self.try_acquire();
            // The futex does not sleep if a permit has come since.
            if permit.is_some() || !futex::wait(self.permits(), 0, deadline) {
                return permit.or_else(|| self.try_acquire());
            }
        }
    }

    /// Gives a permit, also one that was never taken.
    ///
    /// # Panics
    ///
    /// If there are billions of them: more than `i32::MAX`.
    pub fn release(&self) {
        assert!(self.available() < i32::MAX as u32, "too many permits");
        futex::change_and_wake_all(self.permits(), Change::Add(1));
    }
    // ANCHOR_END: acquire

    /// How many permits there are at this moment. Python's `get_value`.
    pub fn available(&self) -> u32 {
        self.permits().load(Acquire)
    }
}

/// A [`Semaphore`] that cannot have more permits than at first: Python's
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
/// assert!(semaphore.release().is_err()); // there are two
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct BoundedSemaphore {
    permits: Semaphore,
    /// A permit for each that is taken: who releases must acquire one of these.
    taken: Semaphore,
    limit: u32,
}

/// A permit of a [`BoundedSemaphore`]; it goes back when this is dropped.
#[derive(Debug)]
#[must_use = "the permit goes back when it is dropped"]
pub struct BoundedPermit<'a>(&'a BoundedSemaphore);

impl Drop for BoundedPermit<'_> {
    fn drop(&mut self) {
        // An error: somebody released it already.
        let _ = self.0.release();
    }
}

impl BoundedSemaphore {
    /// With so many permits, and never more.
    ///
    /// # Errors
    ///
    /// Those of [`Semaphore::new`].
    pub fn new(permits: u32) -> Result<Self, Error> {
        let taken = Semaphore::new(0)?;
        Ok(Self { permits: Semaphore::new(permits)?, taken, limit: permits })
    }

    /// Another handle of the same semaphore, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let (permits, taken) = (self.permits.try_clone()?, self.taken.try_clone()?);
        Ok(Self { permits, taken, limit: self.limit })
    }

    /// See [`Semaphore::acquire`].
    pub fn acquire(&self) -> BoundedPermit<'_> {
        self.count(self.permits.acquire())
    }

    /// See [`Semaphore::try_acquire`].
    pub fn try_acquire(&self) -> Option<BoundedPermit<'_>> {
        self.permits.try_acquire().map(|permit| self.count(permit))
    }

    /// See [`Semaphore::acquire_timeout`].
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<BoundedPermit<'_>> {
        self.permits.acquire_timeout(timeout).map(|permit| self.count(permit))
    }

    fn count(&self, permit: Permit) -> BoundedPermit<'_> {
        mem::forget(permit);
        self.taken.release();
        BoundedPermit(self)
    }

    /// Gives back a permit whose guard was forgotten. Python raises `ValueError`
    /// where this is an error.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyPermits`] if none is missing.
    pub fn release(&self) -> Result<(), Error> {
        let taken = self.taken.try_acquire();
        mem::forget(taken.ok_or(Error::TooManyPermits { limit: self.limit })?);
        self.permits.release();
        Ok(())
    }

    /// See [`Semaphore::available`].
    pub fn available(&self) -> u32 {
        self.permits.available()
    }
}
