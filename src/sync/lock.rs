//! A lock that is handed on when its holder dies.

use super::block::{Block, Held};
use crate::Error;
use crate::sys::futex::deadline;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// One at a time: Python's `Lock`.
///
/// It protects what lies elsewhere: a file, a terminal, several values. Data in
/// shared memory has a lock of its own, in [`Value`](crate::Value) and
/// [`Array`](crate::Array). A lock travels to a child in the arguments of a
/// [`Process`](crate::Process), and through a [`Connection`](crate::Connection);
/// to keep it as well, send a copy ([`try_clone`](Lock::try_clone)).
///
/// If a process ends while it holds the lock, however it ends, the next one gets
/// the lock and is told: [`LockError::OwnerDied`]. In Python, and with a mutex that
/// is not robust, all the others wait for ever.
///
/// It is a robust mutex of POSIX in shared memory (pthread_mutexattr_setrobust(3)).
/// Its owner is a thread.
///
/// # Example
///
/// ```
/// use multiprocessing::{Lock, LockError, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let lock: Lock = Lock::new()?;
///     let child = Process::spawn(hold_and_die, lock.try_clone()?)?;
///     assert!(child.join().is_err());
///     let guard = lock.acquire().or_else(LockError::recover)?;
///     // Here, what the child may have left is put in order.
///     drop(guard);
///     Ok(())
/// }
///
/// fn hold_and_die(lock: Lock) {
///     let _guard = lock.acquire().expect("nobody holds it");
///     std::process::abort();
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Lock<const RECURSIVE: bool = false>(Block);

/// A lock that the thread that holds it can acquire again: Python's `RLock`. It is
/// free when the last of the guards is dropped.
pub type RLock = Lock<true>;

impl<const RECURSIVE: bool> Lock<RECURSIVE> {
    /// A lock that nobody holds.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new() -> Result<Self, Error> {
        Block::new(RECURSIVE, 0).map(Self)
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
    /// [`LockError::OwnerDied`] if its last holder ended while it held it;
    /// [`Error::AlreadyHeld`] if this thread holds it and it is no [`RLock`].
    #[inline]
    pub fn acquire(&self) -> Result<LockGuard<'_, RECURSIVE>, LockError<LockGuard<'_, RECURSIVE>>> {
        self.0.lock().map(LockGuard).map_err(|error| error.map(LockGuard))
    }

    /// Takes the lock if it is free: `None` if not.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Lock::acquire). A lock that this thread holds is not free.
    pub fn try_acquire(&self) -> Acquired<'_, RECURSIVE> {
        let held = self.0.try_lock();
        held.map(|held| held.map(LockGuard)).map_err(|error| error.map(LockGuard))
    }

    /// Waits until the lock is free, but no longer than `timeout`, by the monotonic
    /// clock: `None` if it is not free then.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Lock::acquire).
    pub fn acquire_timeout(&self, timeout: Duration) -> Acquired<'_, RECURSIVE> {
        let held = self.0.lock_until(deadline(timeout));
        held.map(|held| held.map(LockGuard)).map_err(|error| error.map(LockGuard))
    }
}

/// What came of the attempt to take a [`Lock`].
pub type Acquired<'a, const RECURSIVE: bool> =
    Result<Option<LockGuard<'a, RECURSIVE>>, LockError<LockGuard<'a, RECURSIVE>>>;

/// Holds a [`Lock`] until it is dropped. It stays in its thread.
#[derive(Debug)]
#[must_use = "the lock is free again when the guard is dropped"]
pub struct LockGuard<'a, const RECURSIVE: bool = false>(Held<'a>);

/// A guard that a [`Condition`](crate::Condition) can give back and take again: that
/// of a [`Lock`], a [`Value`](crate::Value) or an [`Array`](crate::Array).
pub trait Guard {
    #[doc(hidden)]
    fn held(&self) -> &Held<'_>;
}

impl<const RECURSIVE: bool> Guard for LockGuard<'_, RECURSIVE> {
    fn held(&self) -> &Held<'_> {
        &self.0
    }
}

/// Why there is no guard, or one that needs care.
pub enum LockError<G> {
    /// This is the guard, but the last holder ended while it held the lock. What the
    /// lock protects may be half changed. Until [`recover`](LockError::recover) is
    /// called, everybody who takes the lock is told.
    OwnerDied(G),
    /// There is no guard.
    Failed(Error),
}

impl<G> LockError<G> {
    pub(crate) fn map<H>(self, f: impl FnOnce(G) -> H) -> LockError<H> {
        match self {
            Self::OwnerDied(guard) => LockError::OwnerDied(f(guard)),
            Self::Failed(error) => LockError::Failed(error),
        }
    }
}

impl<G: Guard> LockError<G> {
    /// The guard of a lock whose holder died. From now on, who takes the lock is no
    /// longer told: put the data in order while you hold it.
    ///
    /// # Errors
    ///
    /// If there is no guard.
    pub fn recover(self) -> Result<G, Error> {
        match self {
            Self::OwnerDied(guard) => {
                guard.held().recovered();
                Ok(guard)
            }
            Self::Failed(error) => Err(error),
        }
    }
}

impl<G> From<LockError<G>> for Error {
    fn from(error: LockError<G>) -> Self {
        match error {
            LockError::OwnerDied(_) => Error::OwnerDied,
            LockError::Failed(error) => error,
        }
    }
}

impl<G> fmt::Debug for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::OwnerDied(_) => f.write_str("OwnerDied"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::OwnerDied(_) => Error::OwnerDied.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<G> std::error::Error for LockError<G> {}
