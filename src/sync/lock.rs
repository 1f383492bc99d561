//! A lock that is handed on when its holder dies.

use super::block::{Block, Held};
use crate::Error;
use crate::memory::Kind;
use crate::sys::futex::deadline;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One at a time: Python's [`Lock`], or [`RLock`] if it is recursive.
///
/// It protects what lies elsewhere: a file, a terminal, several values. Data in
/// shared memory has a lock of its own, in [`Value`](crate::Value) and
/// [`Array`](crate::Array). A lock travels to a child in the arguments of a
/// [`Process`](crate::Process), and through a [`Connection`](crate::Connection);
/// to keep it as well, send a copy ([`try_clone`](Mutex::try_clone)).
///
/// If a process ends while it holds the lock, however it ends, or a thread panics, the
/// next one gets the lock and is told: [`Error::OwnerDied`]. In Python, and with a mutex that is not
/// robust, all the others wait for ever.
///
/// It is a robust mutex of POSIX in shared memory (pthread_mutexattr_setrobust(3)).
/// Its owner is a thread.
///
/// # Example
///
/// ```
/// use multiprocessing::{Error, Lock, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let lock = Lock::new()?;
///     let child = Process::spawn(hold_and_die, lock.try_clone()?)?;
///     assert!(child.join().is_err());
///     assert!(matches!(lock.acquire(), Err(Error::OwnerDied)));
///     let guard = lock.acquire_or_repair(|| println!("what it left is put in order"))?;
///     drop(guard);
///     lock.acquire()?;
///     Ok(())
/// }
///
/// fn hold_and_die(lock: Lock) {
///     let _guard = lock.acquire().expect("nobody holds it");
///     std::process::abort();
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Mutex<const RECURSIVE: bool>(Block);

/// A lock that is held once: Python's `Lock`.
pub type Lock = Mutex<false>;

/// A lock that the thread that holds it can acquire again: Python's `RLock`. It is
/// free when the last of the guards is dropped.
pub type RLock = Mutex<true>;

impl<const RECURSIVE: bool> Mutex<RECURSIVE> {
    /// A lock that nobody holds.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Block::new(Kind::Lock, RECURSIVE, 0).map(Self)
    }

    /// Another handle of the same lock, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    /// Waits until the lock is free and takes it.
    ///
    /// # Errors
    ///
    /// [`Error::OwnerDied`] if a holder ended while it held it, and nobody has called
    /// [`acquire_or_repair`](Mutex::acquire_or_repair) since; [`Error::AlreadyHeld`] if
    /// this thread holds it and it is no [`RLock`]. Then the lock is not taken.
    #[inline]
    pub fn acquire(&self) -> Result<LockGuard<'_, RECURSIVE>, Error> {
        self.0.lock().map(LockGuard)
    }

    /// The same, but if a holder ended while it held the lock, `repair` is called first,
    /// under the lock: it puts in order what the lock protects.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyHeld`] if this thread holds it and it is no [`RLock`].
    pub fn acquire_or_repair(
        &self,
        repair: impl FnOnce(),
    ) -> Result<LockGuard<'_, RECURSIVE>, Error> {
        self.0.lock_or_repair(repair).map(LockGuard)
    }

    /// Takes the lock if it is free: `None` if not.
    ///
    /// # Errors
    ///
    /// [`Error::OwnerDied`], as in [`acquire`](Mutex::acquire). A [`Lock`] that this
    /// thread holds is not free.
    pub fn try_acquire(&self) -> Result<Option<LockGuard<'_, RECURSIVE>>, Error> {
        Ok(self.0.try_lock()?.map(LockGuard))
    }

    /// Waits until the lock is free, but no longer than `timeout`, by the monotonic
    /// clock: `None` if it is not free then.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Mutex::acquire).
    pub fn acquire_timeout(
        &self,
        timeout: Duration,
    ) -> Result<Option<LockGuard<'_, RECURSIVE>>, Error> {
        Ok(self.0.lock_until(deadline(timeout))?.map(LockGuard))
    }
}

/// Holds a [`Mutex`] until it is dropped. It stays in its thread, to which the lock
/// belongs:
///
/// ```compile_fail,E0277
/// let lock = multiprocessing::Lock::new()?;
/// let guard = lock.acquire()?;
/// std::thread::scope(|scope| scope.spawn(|| drop(guard)).join().unwrap());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the lock is free again when the guard is dropped"]
pub struct LockGuard<'a, const RECURSIVE: bool>(Held<'a>);

/// A guard that a [`Condition`](crate::Condition) can give back and take again: that
/// of a [`Mutex`], a [`Value`](crate::Value) or an [`Array`](crate::Array).
pub trait Guard {
    #[doc(hidden)]
    fn held(&self) -> &Held<'_>;
}

impl<const RECURSIVE: bool> Guard for LockGuard<'_, RECURSIVE> {
    fn held(&self) -> &Held<'_> {
        &self.0
    }
}
