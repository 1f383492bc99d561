//! An event in the server.

use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::Error;
use crate::sys::deadline::deadline;
use serde::{Deserialize, Serialize};
use std::time::Duration;

proxy_type! { Event:
    /// An event that a [`Manager`](crate::Manager) keeps: Python's `manager.Event()`. It has the
    /// methods of [`Event`](crate::Event), and can be used over a network.
    ///
    /// ```
    /// use multiprocessing::{Error, EventProxy, Manager, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let start = manager.event()?;
    ///     let child = Process::spawn(|start: EventProxy| start.wait(), start.clone())?;
    ///     start.set()?;
    ///     child.join()?
    /// }
    /// ```
    EventProxy
}

/// In the server.
#[derive(Default)]
pub struct Event {
    set: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Set,
    Clear,
    IsSet,
    Wait,
}

impl EventProxy {
    /// Sets it, which ends all waits.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn set(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Set)
    }

    /// Clears it: later waits are for the next `set`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn clear(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Clear)
    }

    /// Whether it is set at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_set(&self) -> Result<bool, Error> {
        self.proxy.call(&Request::IsSet)
    }

    /// Waits until it is set.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn wait(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Wait)
    }

    /// Waits until it is set, but no longer than `timeout` (of the monotonic clock). Returns whether
    /// it was set.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        match self.proxy.call_until(&Request::Wait, deadline(timeout)) {
            Ok(()) => Ok(true),
            Err(Error::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Kept for Event {}

impl BuiltIn for Event {
    const KIND: Kind = Kind::Event;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        match request {
            Request::Set => self.set = true,
            Request::Clear => self.set = false,
            Request::IsSet => return Some(success(&self.set)),
            Request::Wait if self.set => (),
            Request::Wait => return None,
        }
        Some(success(&()))
    }
}
