//! A condition: a lock in the server, with notifications.

use super::lock::{LockProxyGuard, Request, methods};
use super::proxy::proxy_type;
use crate::sys::deadline::{Deadline, deadline};
use crate::{Error, WaitTimeoutResult};
use std::time::Duration;

proxy_type! { Lock:
    /// A lock and a condition that a [`Manager`](crate::Manager) keeps: Python's
    /// `manager.Condition()`, with the methods of [`std::sync::Condvar`].
    ConditionProxy
}

methods!(ConditionProxy);

impl ConditionProxy {
    pub fn wait(&self, guard: LockProxyGuard) -> Result<LockProxyGuard, Error> {
        self.wait_until(guard, None).map(|(guard, _)| guard)
    }

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
        let (guard, notified) = guard.wait(deadline)?;
        Ok((guard, WaitTimeoutResult::new(!notified)))
    }

    pub fn notify_one(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Notify(1))
    }

    pub fn notify_all(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Notify(usize::MAX))
    }
}
