//! Locks in the server: those of `Lock`, `RLock` and `Condition`.
//!
//! The holder of a lock is a connection, which its guard keeps. When the connection ends before
//! the lock was released, its client has ended, and the lock says so to the next.

use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::{Connection, Proxy, proxy_type};
use crate::Error;
use crate::sys::deadline::{Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::mem;
use std::sync::LazyLock;
use std::thread::panicking;
use std::time::Duration;

proxy_type! { Lock:
    /// A lock that a [`Manager`](crate::Manager) keeps: Python's `manager.Lock()`. It has the methods
    /// of [`Lock`](crate::Lock), and can be used over a network. Its holder is a thread: the one
    /// that has the guard.
    ///
    /// If the holder's process ends, the next to come is told ([`Error::OwnerDied`]). In Python,
    /// such a lock stays locked for ever.
    ///
    /// ```
    /// use multiprocessing::{Error, LockProxy, Manager, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let lock = manager.lock()?;
    ///     let guard = lock.acquire()?;
    ///     let child = Process::spawn(is_free, lock.clone())?;
    ///     assert_eq!(child.join()?, false);
    ///     drop(guard);
    ///     assert_eq!(lock.is_locked()?, false);
    ///     Ok(())
    /// }
    ///
    /// fn is_free(lock: LockProxy) -> bool {
    ///     lock.try_acquire().is_ok()
    /// }
    /// ```
    LockProxy
}

proxy_type! { Lock:
    /// A lock that a [`Manager`](crate::Manager) keeps, and that the thread that holds it can take
    /// again: Python's `manager.RLock()`. It is free when all its guards are dropped.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let lock = manager.rlock()?;
    ///     let outer = lock.acquire()?;
    ///     let inner = lock.acquire()?; // a `LockProxy` would return an error
    ///     drop((outer, inner));
    ///     assert_eq!(lock.is_locked()?, false);
    ///     Ok(())
    /// }
    /// ```
    RLockProxy
}

/// In the server.
#[derive(Debug, Default)]
pub struct Lock {
    recursive: bool,
    holder: Option<Who>,
    /// The connections of the guards: several if it is recursive.
    guards: Vec<Caller>,
    owner_died: bool,
    /// The connections that wait for a notification, in order.
    sleeping: VecDeque<Caller>,
    /// Those that have got one and wait for the lock.
    notified: Vec<Caller>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Acquire(Acquire),
    /// What the lock protects is whole again.
    Repaired,
    Release {
        died: bool,
    },
    IsLocked,
    /// Releases the lock, waits for a notification, and takes the lock again.
    Wait {
        who: Who,
        sleeps: bool,
    },
    /// At most so many.
    Notify(usize),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Acquire {
    who: Who,
    waits: bool,
    repairs: bool,
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// A number that no other program has.
    program: u64,
    thread: i32,
}

impl Who {
    pub fn this_thread() -> Self {
        static PROGRAM: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        Self { program: *PROGRAM, thread: nix::unistd::gettid().as_raw() }
    }
}

macro_rules! methods {
    ($lock:ident) => {
        impl $lock {
            /// Waits until the lock is free, and takes it.
            ///
            /// # Errors
            ///
            /// [`Error::ManagerGone`]; [`Error::OwnerDied`] if a holder ended while it held the
            /// lock, and nobody has repaired since; [`Error::AlreadyHeld`] if this thread holds it,
            /// unless it is an [`RLockProxy`](crate::RLockProxy).
            pub fn acquire(&self) -> Result<LockProxyGuard, Error> {
                LockProxyGuard::new(&self.proxy, true, None)
            }

            /// Waits until the lock is free, and takes it. If a holder ended while it held the lock, this
            /// first calls `repair`, under the lock, to restore what it protects.
            ///
            /// # Errors
            ///
            /// [`Error::ManagerGone`]; [`Error::AlreadyHeld`], as for [`acquire`](Self::acquire).
            pub fn acquire_or_repair(
                &self,
                repair: impl FnOnce(),
            ) -> Result<LockProxyGuard, Error> {
                LockProxyGuard::or_repair(&self.proxy, repair)
            }

            /// Takes the lock if it is free.
            ///
            /// # Errors
            ///
            /// [`Error::ManagerGone`]; [`Error::WouldBlock`] if another thread holds it; those of
            /// [`acquire`](Self::acquire).
            pub fn try_acquire(&self) -> Result<LockProxyGuard, Error> {
                LockProxyGuard::new(&self.proxy, false, None)
            }

            /// Waits until the lock is free, but no longer than `timeout` (of the monotonic clock), and
            /// takes it.
            ///
            /// # Errors
            ///
            /// [`Error::ManagerGone`]; [`Error::TimedOut`]; those of [`acquire`](Self::acquire).
            pub fn acquire_timeout(&self, timeout: Duration) -> Result<LockProxyGuard, Error> {
                LockProxyGuard::new(&self.proxy, true, deadline(timeout))
            }

            /// Whether the lock is held at this moment. Python's `locked` (3.14).
            ///
            /// # Errors
            ///
            /// [`Error::ManagerGone`].
            pub fn is_locked(&self) -> Result<bool, Error> {
                self.proxy.call(&$crate::manager::lock::Request::IsLocked)
            }
        }
    };
}
pub(super) use methods;

methods!(LockProxy);
methods!(RLockProxy);

/// Holds a [`LockProxy`], an [`RLockProxy`] or the lock of a
/// [`ConditionProxy`](crate::ConditionProxy) until it is dropped. It stays in its thread, because the
/// thread is the holder. The copy in a forked child does nothing when it is dropped.
#[derive(Debug)]
#[must_use = "bind it (`let _guard = …`): the lock is free again when it is dropped"]
pub struct LockProxyGuard {
    connection: Connection,
    holds: bool,
    /// It stays in its thread, which is the holder.
    of_thread: PhantomData<*const ()>,
}

impl LockProxyGuard {
    pub(super) fn new(proxy: &Proxy, waits: bool, deadline: Deadline) -> Result<Self, Error> {
        let acquire = Acquire { who: Who::this_thread(), waits, repairs: false };
        Self::acquire(proxy, acquire, deadline).map(|(guard, _)| guard)
    }

    pub(super) fn or_repair(proxy: &Proxy, repair: impl FnOnce()) -> Result<Self, Error> {
        let acquire = Acquire { who: Who::this_thread(), waits: true, repairs: true };
        let (mut guard, owner_died) = Self::acquire(proxy, acquire, None)?;
        if owner_died {
            repair();
            guard.connection.call::<()>(&Request::Repaired, None)?;
        }
        Ok(guard)
    }

    fn acquire(proxy: &Proxy, acquire: Acquire, deadline: Deadline) -> Result<(Self, bool), Error> {
        let mut connection = proxy.connection()?;
        let owner_died = connection.call(&Request::Acquire(acquire), deadline)?;
        Ok((Self { connection, holds: true, of_thread: PhantomData }, owner_died))
    }

    /// Whether it holds the lock of this proxy.
    pub(super) fn is_of(&self, proxy: &Proxy) -> bool {
        self.connection.proxy().reference().number == proxy.reference().number
    }

    /// Releases the lock, waits for a notification, and takes the lock again. Returns whether
    /// the notification came before the deadline.
    pub(super) fn wait(mut self, deadline: Deadline) -> Result<(Self, bool), Error> {
        let who = Who::this_thread();
        self.holds = false;
        let waited = self.connection.call(&Request::Wait { who, sleeps: false }, deadline);
        let notified = match waited {
            Err(Error::TimedOut) => {
                let acquire = Acquire { who, waits: true, repairs: false };
                self.connection.call::<bool>(&Request::Acquire(acquire), None).map(|_| false)
            }
            waited => waited.map(|()| true),
        }?;
        self.holds = true;
        Ok((self, notified))
    }
}

impl Drop for LockProxyGuard {
    fn drop(&mut self) {
        if self.holds && !self.connection.is_copy() {
            // If it fails, the connection is closed, and with it the lock is released.
            let _ = self.connection.call::<()>(&Request::Release { died: panicking() }, None);
        }
    }
}

impl Lock {
    pub fn new(recursive: bool) -> Self {
        Self { recursive, ..Self::default() }
    }

    fn acquire(&mut self, acquire: Acquire, caller: Caller) -> Reply {
        let is_mine = self.holder == Some(acquire.who);
        match self.holder {
            Some(_) if is_mine && !self.recursive => return Some(Err(Error::AlreadyHeld)),
            Some(_) if !is_mine && !acquire.waits => return Some(Err(Error::WouldBlock)),
            Some(_) if !is_mine => return None,
            _ if self.owner_died && !acquire.repairs => return Some(Err(Error::OwnerDied)),
            _ => (),
        }
        self.holder = Some(acquire.who);
        self.guards.push(caller);
        Some(success(&self.owner_died))
    }

    /// Returns whether the caller held it.
    fn release(&mut self, caller: Caller) -> bool {
        let Some(place) = self.guards.iter().position(|guard| *guard == caller) else {
            return false;
        };
        self.guards.swap_remove(place);
        if self.guards.is_empty() {
            self.holder = None;
        }
        true
    }

    fn wait(&mut self, who: Who, sleeps: &mut bool, caller: Caller) -> Reply {
        if !mem::replace(sleeps, true) {
            self.release(caller);
            self.sleeping.push_back(caller);
        }
        let place = self.notified.iter().position(|notified| *notified == caller)?;
        let acquired = self.acquire(Acquire { who, waits: true, repairs: false }, caller)?;
        self.notified.swap_remove(place);
        Some(acquired.and_then(|_| success(&())))
    }

    fn notify(&mut self, count: usize) {
        let count = count.min(self.sleeping.len());
        self.notified.extend(self.sleeping.drain(..count));
    }
}

impl Kept for Lock {
    fn forget(&mut self, caller: Caller) {
        self.owner_died |= self.release(caller);
        self.sleeping.retain(|sleeping| *sleeping != caller);
        let before = self.notified.len();
        self.notified.retain(|notified| *notified != caller);
        self.notify(before - self.notified.len()); // another one gets its notification
    }
}

impl BuiltIn for Lock {
    const KIND: Kind = Kind::Lock;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, caller: Caller) -> Reply {
        match request {
            Request::Acquire(acquire) => return self.acquire(*acquire, caller),
            Request::Wait { who, sleeps } => return self.wait(*who, sleeps, caller),
            Request::IsLocked => return Some(success(&self.holder.is_some())),
            Request::Notify(count) => self.notify(*count),
            Request::Repaired => self.owner_died = false,
            Request::Release { died } => self.owner_died |= self.release(caller) && *died,
        }
        Some(success(&()))
    }
}
