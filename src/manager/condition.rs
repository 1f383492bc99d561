//! A condition: a lock in the server, with notifications.

use super::lock::{LockProxyGuard, Request, methods};
use super::proxy::proxy_type;
use crate::sys::deadline::{Deadline, deadline};
use crate::{Error, WaitTimeoutResult};
use std::time::Duration;

proxy_type! { Lock:
    /// A lock and a condition that a [`Manager`](crate::Manager) keeps: Python's
    /// `manager.Condition()`, with the methods of [`std::sync::Condvar`]. It can be used over a
    /// network.
    ///
    /// As in Python, the lock belongs to the condition. A notification that was sent to a process
    /// which is then killed goes to the next that waits.
    ///
    /// ```
    /// use multiprocessing::{ConditionProxy, Error, Manager, Process, ValueProxy};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let (changed, level) = (manager.condition()?, manager.value(0)?);
    ///     let child = Process::spawn(fill, (changed.clone(), level.clone()))?;
    ///     let mut guard = changed.acquire()?;
    ///     while level.get()? < 3 {
    ///         guard = changed.wait(guard)?;
    ///     }
    ///     drop(guard);
    ///     child.join()?
    /// }
    ///
    /// fn fill((changed, level): (ConditionProxy, ValueProxy<u32>)) -> Result<(), Error> {
    ///     for number in 1..=3 {
    ///         let _guard = changed.acquire()?;
    ///         level.set(number)?;
    ///         changed.notify_all()?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ConditionProxy
}

methods!(ConditionProxy);

impl ConditionProxy {
    /// Releases the lock, waits for a notification, and takes the lock again. There are no spurious
    /// wake-ups, but when the lock is taken again, another may have been faster: look again.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::OwnerDied`] if a holder ended while it held the lock, and
    /// nobody has repaired since; [`Error::System`] for the guard of another lock. After an error
    /// the lock is not held.
    pub fn wait(&self, guard: LockProxyGuard) -> Result<LockProxyGuard, Error> {
        self.wait_until(guard, None).map(|(guard, _)| guard)
    }

    /// Waits for notifications while the closure returns true. Python's `wait_for`, which waits until it
    /// does.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; those of [`wait`](Self::wait).
    pub fn wait_while(
        &self,
        mut guard: LockProxyGuard,
        mut condition: impl FnMut() -> bool,
    ) -> Result<LockProxyGuard, Error> {
        while condition() {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// The same as [`wait`](Self::wait), but waits no longer than `timeout` (of the monotonic clock) for
    /// the notification. Then it takes the lock again, however long that takes.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; those of [`wait`](Self::wait).
    pub fn wait_timeout(
        &self,
        guard: LockProxyGuard,
        timeout: Duration,
    ) -> Result<(LockProxyGuard, WaitTimeoutResult), Error> {
        self.wait_until(guard, deadline(timeout))
    }

    fn wait_until(
        &self,
        guard: LockProxyGuard,
        deadline: Deadline,
    ) -> Result<(LockProxyGuard, WaitTimeoutResult), Error> {
        if !guard.is_of(&self.proxy) {
            return Err(Error::refused("wait with the guard of another lock", libc::EINVAL));
        }
        let (guard, notified) = guard.wait(deadline)?;
        Ok((guard, WaitTimeoutResult::new(!notified)))
    }

    /// Wakes the one that has waited longest. Python's `notify`, which needs the lock; this does not.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn notify_one(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Notify(1))
    }

    /// Wakes all that wait.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn notify_all(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Notify(usize::MAX))
    }
}
