//! A lock that passes on when its holder dies.

use super::block::{Block, Held, always};
use super::made_of_memory;
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::deadline;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One holder at a time: Python's `Lock`.
///
/// It protects something elsewhere: a file, a terminal, several values. For data in shared
/// memory, [`Value`](crate::Value) and [`Array`](crate::Array) have locks of their own. A clone
/// is the same lock, and so is what another process receives.
///
/// If a process ends while it holds the lock, however it ends, or a thread panics, the next
/// one to acquire the lock is told: [`Error::OwnerDied`]. In Python, and with a mutex that is
/// not robust, everybody else waits for ever.
///
/// It is a robust mutex of POSIX in shared memory (pthread_mutexattr_setrobust(3)), and its
/// holder is a thread. A thread can have at most 2,048 guards of this crate's locks: when a
/// thread dies, the kernel passes on no more locks than that. `{:?}` shows which process holds
/// the lock. Processes in different PID namespaces (pid_namespaces(7)) must not share a lock: it
/// knows its holder by the thread id, which may mean two threads there.
///
/// # Example
///
/// ```
/// use multiprocessing::{Error, Lock, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let lock = Lock::new()?;
///     let child = Process::spawn(hold_and_die, lock.clone())?;
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
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct Lock(Block);

/// A lock that its holder can acquire again: Python's `RLock`. It is free when the last guard
/// is dropped. In all else it is a [`Lock`].
///
/// # Example
///
/// ```
/// use multiprocessing::RLock;
///
/// let lock = RLock::new()?;
/// let outer = lock.acquire()?;
/// let inner = lock.acquire()?; // a Lock would return Error::AlreadyHeld
/// drop(outer);
/// assert!(lock.is_locked()?);
/// drop(inner);
/// assert!(!lock.is_locked()?);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct RLock(Block);

made_of_memory!(Lock, |memory| Block::received(memory, Kind::Lock, 0));
made_of_memory!(RLock, |memory| Block::received(memory, Kind::RLock, 0));

macro_rules! methods {
    ($lock:ident, $(#[$already_held:meta])*) => {
        impl $lock {
            /// A lock that nobody holds.
            ///
            /// # Errors
            ///
            /// [`Error::System`] if there is no memory or no descriptor left for it.
            pub fn new() -> Result<Self, Error> {
                Block::new(Kind::$lock, 0).map(Self)
            }

            /// Waits until the lock is free, and takes it.
            ///
            /// # Errors
            ///
            /// [`Error::OwnerDied`] if a holder ended while it held the lock, and nobody has
            /// called [`acquire_or_repair`](Self::acquire_or_repair) since.
            $(#[$already_held])*
            /// [`Error::System`] if this thread already has 2,048 guards. After an error the lock
            /// is not taken.
            #[doc(alias = "lock")]
            #[inline]
            pub fn acquire(&self) -> Result<LockGuard<'_>, Error> {
                self.0.lock().map(LockGuard)
            }

            /// Waits until the lock is free, and takes it. If a holder ended while it held the
            /// lock, this first calls `repair`, under the lock, to restore what it protects.
            ///
            /// # Errors
            ///
            /// Those of [`acquire`](Self::acquire), except [`Error::OwnerDied`].
            pub fn acquire_or_repair(&self, repair: impl FnOnce()) -> Result<LockGuard<'_>, Error> {
                Ok(LockGuard(always(self.0.lock_or_repair(None, || Ok(repair()))?)))
            }

            /// Takes the lock if it is free. As [`std::sync::Mutex::try_lock`], it returns an
            /// error if the lock is held.
            ///
            /// # Errors
            ///
            /// [`Error::WouldBlock`] if the lock is held; [`Error::OwnerDied`] and
            /// [`Error::System`], as for [`acquire`](Self::acquire).
            #[doc(alias = "try_lock")]
            pub fn try_acquire(&self) -> Result<LockGuard<'_>, Error> {
                self.0.try_lock()?.map(LockGuard).ok_or(Error::WouldBlock)
            }

            /// Waits until the lock is free, and takes it, but waits no longer than `timeout`
            /// (of the monotonic clock).
            ///
            /// # Errors
            ///
            /// [`Error::TimedOut`] if it was not free within that time; those of
            /// [`acquire`](Self::acquire).
            pub fn acquire_timeout(&self, timeout: Duration) -> Result<LockGuard<'_>, Error> {
                self.0.lock_until(deadline(timeout))?.map(LockGuard).ok_or(Error::TimedOut)
            }

            /// Whether the lock is held at this moment: Python's `locked` (3.14).
            ///
            /// # Errors
            ///
            /// [`Error::System`] if this thread already has 2,048 guards.
            pub fn is_locked(&self) -> Result<bool, Error> {
                self.0.is_locked()
            }
        }
    };
}

methods!(Lock, /// [`Error::AlreadyHeld`] if this thread holds it.
);
methods!(RLock,);

/// Holds a [`Lock`] or an [`RLock`] until it is dropped. It cannot leave its thread, because
/// the thread is the holder:
///
/// ```compile_fail,E0277
/// let lock = multiprocessing::Lock::new()?;
/// let guard = lock.acquire()?;
/// std::thread::scope(|scope| scope.spawn(|| drop(guard)).join().unwrap());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// The copy in a forked child does nothing when it is dropped.
#[derive(Debug)]
#[must_use = "bind it (`let _guard = …`): the lock is free again when it is dropped"]
pub struct LockGuard<'a>(Held<'a>);

/// A guard whose lock a [`Condition`](crate::Condition) can release and take again: the guard of
/// a [`Lock`], an [`RLock`], a [`Value`](crate::Value) or an [`Array`](crate::Array).
pub trait Guard {
    /// What the lock protects; `()` if that is elsewhere.
    type Data: ?Sized;

    #[doc(hidden)]
    fn held(&self) -> &Held<'_>;

    #[doc(hidden)]
    fn data(&mut self) -> &mut Self::Data;
}

impl Guard for LockGuard<'_> {
    type Data = ();

    fn held(&self) -> &Held<'_> {
        &self.0
    }

    fn data(&mut self) -> &mut () {
        Box::leak(Box::new(())) // which allocates nothing
    }
}
