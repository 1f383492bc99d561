//! A semaphore in the server.

use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::{Connection, proxy_type};
use crate::Error;
use crate::pipe::Message;
use crate::sys::deadline::{Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::time::Duration;

proxy_type! { Semaphore:
    /// A semaphore that a [`Manager`](crate::Manager) keeps: Python's `manager.Semaphore()` and
    /// `manager.BoundedSemaphore()`. It can be used over a network.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, Process, SemaphoreProxy};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let permits = manager.semaphore(1)?;
    ///     let permit = permits.acquire()?;
    ///     let child = Process::spawn(is_free, permits.clone())?;
    ///     assert_eq!(child.join()?, false);
    ///     drop(permit);
    ///     assert_eq!(permits.available()?, 1);
    ///     Ok(())
    /// }
    ///
    /// fn is_free(permits: SemaphoreProxy) -> bool {
    ///     permits.try_acquire().is_ok()
    /// }
    /// ```
    SemaphoreProxy
}

/// In the server.
pub struct Semaphore {
    available: u32,
    limit: Option<u32>,
    /// The connections whose clients have a permit.
    permits: Vec<Caller>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Acquire {
        waits: bool,
    },
    /// The permit of this connection, or one more.
    Release,
    /// This connection's permit is not given back.
    Forget,
    Available,
}

impl SemaphoreProxy {
    /// Waits for a permit and takes it.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn acquire(&self) -> Result<PermitProxy, Error> {
        self.acquire_until(true, None)
    }

    /// Takes a permit if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::WouldBlock`] if there is none.
    pub fn try_acquire(&self) -> Result<PermitProxy, Error> {
        self.acquire_until(false, None)
    }

    /// Waits for a permit, but no longer than `timeout` (of the monotonic clock), and takes it.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::TimedOut`].
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<PermitProxy, Error> {
        self.acquire_until(true, deadline(timeout))
    }

    fn acquire_until(&self, waits: bool, deadline: Deadline) -> Result<PermitProxy, Error> {
        let mut connection = self.proxy.connection()?;
        connection.call::<()>(&Request::Acquire { waits }, deadline)?;
        Ok(PermitProxy { connection, held: true })
    }

    /// Releases a permit that was not taken here, or was [forgotten](PermitProxy::forget).
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::TooManyPermits`] for a bounded semaphore that has all its
    /// permits.
    pub fn release(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Release)
    }

    /// How many permits can be taken at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn available(&self) -> Result<u32, Error> {
        self.proxy.call(&Request::Available)
    }
}

/// A permit of a [`SemaphoreProxy`], which is given back when it is dropped or its process ends.
#[derive(Debug)]
#[must_use = "bind it (`let _permit = …`): it is given back when it is dropped"]
pub struct PermitProxy {
    connection: Connection,
    held: bool,
}

impl PermitProxy {
    /// Keeps the permit. Only [`release`](SemaphoreProxy::release) can give one back.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn forget(mut self) -> Result<(), Error> {
        self.held = false;
        self.connection.call(&Request::Forget, None)
    }
}

impl Drop for PermitProxy {
    fn drop(&mut self) {
        if self.held && !self.connection.is_copy() {
            // If it fails, the connection is closed, and with it the permit is given back.
            let _ = self.connection.call::<()>(&Request::Release, None);
        }
    }
}

impl Semaphore {
    pub fn new(permits: u32, bounded: bool) -> Self {
        Self { available: permits, limit: bounded.then_some(permits), permits: Vec::new() }
    }

    fn acquire(&mut self, waits: bool, caller: Caller) -> Reply {
        match self.available {
            0 if waits => return None,
            0 => return Some(Err(Error::WouldBlock)),
            _ => self.available -= 1,
        }
        self.permits.push(caller);
        Some(success(&()))
    }

    /// Returns whether the caller had one.
    fn take_from(&mut self, caller: Caller) -> bool {
        let place = self.permits.iter().position(|permit| *permit == caller);
        place.map(|place| self.permits.swap_remove(place)).is_some()
    }

    fn release(&mut self, caller: Caller) -> Result<Message, Error> {
        self.take_from(caller);
        match self.limit {
            Some(limit) if self.available >= limit => Err(Error::TooManyPermits { limit }),
            _ => success(&self.give_back()),
        }
    }

    fn give_back(&mut self) {
        self.available = self.available.saturating_add(1);
    }
}

impl Kept for Semaphore {
    fn forget(&mut self, caller: Caller) {
        if self.take_from(caller) {
            self.give_back();
        }
    }
}

impl BuiltIn for Semaphore {
    const KIND: Kind = Kind::Semaphore;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, caller: Caller) -> Reply {
        match request {
            Request::Acquire { waits } => self.acquire(*waits, caller),
            Request::Release => Some(self.release(caller)),
            Request::Forget => {
                self.take_from(caller);
                Some(success(&()))
            }
            Request::Available => Some(success(&self.available)),
        }
    }
}
