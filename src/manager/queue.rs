//! A queue in the server.

use super::blob::Blob;
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::sys::deadline::{Deadline, deadline};
use crate::{Error, SendError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

proxy_type! { Queue:
    /// A queue that a [`Manager`](crate::Manager) keeps: Python's `manager.Queue()`.
    ///
    /// It has the methods of [`Queue`](crate::Queue). A call costs more than there, and in
    /// return a message may hold what has a descriptor, such as a [`Connection`](crate::Connection),
    /// the queue has no limit if `maxsize` is 0, and it can be used over a network. Messages come
    /// out in the order in which their `put` was answered. If a process is killed in `get`, at
    /// most the message that was on its way to it is lost.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, Process, QueueProxy};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let queue = manager.queue(10)?;
    ///     let child = Process::spawn(produce, queue.clone())?;
    ///     let received: Result<Vec<u32>, Error> = queue.iter().collect();
    ///     assert_eq!(received?, [1, 2, 3]);
    ///     child.join()?
    /// }
    ///
    /// fn produce(queue: QueueProxy<u32>) -> Result<(), Error> {
    ///     for number in 1..=3 {
    ///         queue.put(number)?;
    ///     }
    ///     queue.close()
    /// }
    /// ```
    QueueProxy<T>
}

/// In the server.
pub struct Queue {
    items: VecDeque<Blob>,
    /// 0: no limit.
    maxsize: usize,
    closed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// The value is taken when there is room.
    Put(Blob),
    TryPut(Blob),
    Get,
    TryGet,
    Len,
    IsFull,
    Close {
        now: bool,
    },
    IsClosed,
}

impl<T: Serialize> QueueProxy<T> {
    /// Waits until there is room, and puts a message.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Closed`]; [`Error::Encode`] if the value cannot be encoded.
    /// The message comes back in each of them. (After `ManagerGone` nobody knows whether it was
    /// put.).
    pub fn put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_until(value, Request::Put, None)
    }

    /// Puts a message if there is room.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::WouldBlock`] if the queue is full; those of
    /// [`put`](Self::put).
    pub fn try_put(&self, value: T) -> Result<(), SendError<T>> {
        self.put_until(value, Request::TryPut, None)
    }

    /// Waits until there is room, but no longer than `timeout` (of the monotonic clock), and puts a
    /// message.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::TimedOut`]; those of [`put`](Self::put).
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), SendError<T>> {
        self.put_until(value, Request::Put, deadline(timeout))
    }

    fn put_until(
        &self,
        value: T,
        request: fn(Blob) -> Request,
        deadline: Deadline,
    ) -> Result<(), SendError<T>> {
        let put = Blob::new(&value).and_then(|v| self.proxy.call_until(&request(v), deadline));
        put.map_err(|error| SendError { value, error })
    }
}

impl<T: DeserializeOwned> QueueProxy<T> {
    /// Waits for a message and takes it.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Closed`] if the queue is closed and empty;
    /// [`Error::Decode`] if what is there is not of this type.
    pub fn get(&self) -> Result<T, Error> {
        self.get_until(&Request::Get, None)
    }

    /// Takes a message if there is one. Python's `get_nowait`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::WouldBlock`] if the queue is empty; those of
    /// [`get`](Self::get).
    pub fn try_get(&self) -> Result<T, Error> {
        self.get_until(&Request::TryGet, None)
    }

    /// Waits for a message, but no longer than `timeout` (of the monotonic clock), and takes it.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::TimedOut`]; those of [`get`](Self::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.get_until(&Request::Get, deadline(timeout))
    }

    /// The messages until the queue is closed and empty.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, Error>> {
        std::iter::from_fn(|| match self.get() {
            Err(Error::Closed) => None,
            message => Some(message),
        })
    }

    fn get_until(&self, request: &Request, deadline: Deadline) -> Result<T, Error> {
        self.proxy.call_until::<Blob>(request, deadline)?.value()
    }
}

impl<T> QueueProxy<T> {
    /// How many messages there are at this moment. Python's `qsize`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn len(&self) -> Result<usize, Error> {
        self.proxy.call(&Request::Len)
    }

    /// Whether there are none at this moment. Python's `empty`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Whether a `put` would wait at this moment. Python's `full`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_full(&self) -> Result<bool, Error> {
        self.proxy.call(&Request::IsFull)
    }

    /// Closes the queue: nothing more is put, and what is in it can still be taken. Python's
    /// `shutdown` (3.13).
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn close(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Close { now: false })
    }

    /// Closes the queue, and drops what is in it. Python's `shutdown(immediate=True)` (3.13).
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn close_now(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Close { now: true })
    }

    /// Whether it was closed.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_closed(&self) -> Result<bool, Error> {
        self.proxy.call(&Request::IsClosed)
    }
}

impl Queue {
    pub fn new(maxsize: usize) -> Self {
        Self { items: VecDeque::new(), maxsize, closed: false }
    }

    fn is_full(&self) -> bool {
        self.maxsize > 0 && self.items.len() >= self.maxsize
    }

    fn put(&mut self, value: &mut Blob) -> Reply {
        match self.is_full() {
            _ if self.closed => Some(Err(Error::Closed)),
            true => None,
            false => Some(success(&self.items.push_back(mem::take(value)))),
        }
    }

    fn get(&mut self) -> Reply {
        let Some(value) = self.items.front() else {
            return self.closed.then_some(Err(Error::Closed));
        };
        let answer = success(value); // an error if no descriptor is left for a duplicate of its own
        if answer.is_ok() {
            self.items.pop_front();
        }
        Some(answer)
    }

    fn close(&mut self, now: bool) {
        self.closed = true;
        if now {
            self.items.clear();
        }
    }
}

impl Kept for Queue {}

impl BuiltIn for Queue {
    const KIND: Kind = Kind::Queue;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        match request {
            Request::Put(value) => self.put(value),
            Request::TryPut(value) => self.put(value).or(Some(Err(Error::WouldBlock))),
            Request::Get => self.get(),
            Request::TryGet => self.get().or(Some(Err(Error::WouldBlock))),
            Request::Len => Some(success(&self.items.len())),
            Request::IsFull => Some(success(&self.is_full())),
            Request::Close { now } => Some(success(&self.close(*now))),
            Request::IsClosed => Some(success(&self.closed)),
        }
    }
}
