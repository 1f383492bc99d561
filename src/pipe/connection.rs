//! The ends of a pipe, with the types of what goes through it.

use super::{Channel, Message};
use crate::Error;
use crate::wait::wait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// One end of a [`pipe`](crate::pipe): it sends `S` and receives `R`.
///
/// A connection has one owner. It travels to a child in the arguments of a
/// [`Process`](crate::Process), and to a process that already runs through
/// another connection; then this process no longer has it. So the other end
/// learns that nothing more comes when the last process that had this end is gone:
/// its [`recv`](Connection::recv) returns [`Error::Closed`]. (`fork` copies what
/// it finds: there, the child must drop the end that it does not use.)
///
/// ```compile_fail,E0382
/// # use multiprocessing::{Process, pipe_one_way};
/// let (receiver, sender) = pipe_one_way::<u32>()?;
/// Process::spawn(drop, sender)?;
/// sender.send(1)?; // it is the child's now
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A message arrives whole or not at all, and in the order of sending, also if a
/// process is killed while it sends, and also if several threads or forked
/// processes use the same end: each message then goes to one of them. Several
/// hundred short messages find room before `send` waits for a reader; one of
/// 96 KiB or more waits until it is read.
///
/// Values travel in postcard's format. It cannot decode types that describe
/// themselves, such as `serde_json::Value`. `Connection<[u8], [u8]>` sends and
/// receives bytes as they are.
///
/// The two processes trust each other: whatever bytes come, `recv` returns a value
/// or an error, but a process that means harm can keep its reader waiting, or send a
/// value of a type that contains itself so deep that the stack overflows.
///
/// It is ready for [`wait`](crate::wait()) when there is something to receive.
/// Python's `multiprocessing.connection.Connection`.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Connection<S: ?Sized, R: ?Sized> {
    channel: Channel,
    types: PhantomData<fn(Box<S>) -> Box<R>>,
}

/// An end that only sends.
pub type Sender<T> = Connection<T, Nothing>;

/// An end that only receives.
pub type Receiver<T> = Connection<Nothing, T>;

/// What an end does not do: there is no value of this type.
#[derive(Clone, Copy, Debug)]
pub enum Nothing {}

impl<S: ?Sized, R: ?Sized> Connection<S, R> {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, types: PhantomData }
    }

    /// Whether [`recv`](Connection::recv) would not have to wait: a message has
    /// begun to arrive, or the other end is closed. It waits for that for
    /// `timeout`, by the monotonic clock; not at all for [`Duration::ZERO`].
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system lacks memory.
    pub fn poll(&self, timeout: Duration) -> Result<bool, Error> {
        Ok(!wait(&[self], Some(timeout))?.is_empty())
    }

    /// Two ends from one, for two threads or two processes: what the first sends
    /// and what the second receives. The other end is told that nothing more comes
    /// when both are gone.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the process has too many descriptors open.
    pub fn split(self) -> Result<(Sender<S>, Receiver<R>), Error> {
        let copy = self.channel.try_clone()?;
        Ok((Connection::new(self.channel), Connection::new(copy)))
    }

    /// Closes this end, as dropping it does.
    pub fn close(self) {}
}

impl<S: Serialize, R: ?Sized> Connection<S, R> {
    /// Sends a value. What it holds of this crate, such as a connection, goes along.
    ///
    /// It waits while several hundred messages are unread, and with a value of 96 KiB
    /// or more until it is read, but for what fits into a socket's buffer. Two processes
    /// that both send before they receive can so wait for each other for ever, as in
    /// Python.
    ///
    /// # Errors
    ///
    /// The value comes back in the error. [`Error::Closed`] if nobody can receive
    /// it, or nobody can go on receiving it; [`Error::Encode`] if it cannot be
    /// serialised, or leaves a field out (`skip_serializing_if`); [`Error::System`] if there is no descriptor left for a long value, or
    /// this user has too many of them on their way (`ETOOMANYREFS` in unix(7)).
    pub fn send(&self, value: S) -> Result<(), SendError<S>> {
        self.try_to_send(&value).map_err(|error| SendError { value, error })
    }

    fn try_to_send(&self, value: &S) -> Result<(), Error> {
        let mut message = Message::default();
        message.push(value)?;
        self.channel.send(&message.bytes, &message.numbers()?)
    }
}

impl<S: ?Sized, R: DeserializeOwned> Connection<S, R> {
    /// Waits for the next value.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if there is none and never will be: Python's `EOFError`.
    /// [`Error::Unfinished`] if the sender was killed while it sent a value of
    /// 96 KiB or more. [`Error::Decode`] if something else than an `R` came.
    /// [`Error::System`] if the value holds descriptors, or has 96 KiB or more, and this
    /// process has too many open; the value is lost then. After these three, the next
    /// value can be received.
    pub fn recv(&self) -> Result<R, Error> {
        self.channel.receive()?.take_last()
    }

    /// The next value, if one is there: `None` if not.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Connection::recv).
    pub fn try_recv(&self) -> Result<Option<R>, Error> {
        self.channel.try_receive()?.map(Message::take_last).transpose()
    }

    /// The next value, if it begins to arrive within `timeout`, by the monotonic
    /// clock: `None` if not. A value of 96 KiB or more is then read to its end.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Connection::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Option<R>, Error> {
        // A time that the clock cannot hold is for ever.
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return self.recv().map(Some);
        };
        while self.poll(deadline.saturating_duration_since(Instant::now()))? {
            // None: another thread took it first.
            if let Some(value) = self.try_recv()? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The values until the other end is closed. What [`recv`](Connection::recv)
    /// returns as an error is an item, and does not end the iteration.
    pub fn iter(&self) -> impl Iterator<Item = Result<R, Error>> {
        iter::from_fn(|| match self.recv() {
            Err(Error::Closed) => None,
            received => Some(received),
        })
    }
}

impl<R: ?Sized> Connection<[u8], R> {
    /// Sends bytes as they are: Python's `send_bytes`. See [`send`](Connection::send).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if nobody can receive them.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.channel.send(bytes, &[])
    }
}

impl<S: ?Sized> Connection<S, [u8]> {
    /// Waits for the next bytes: Python's `recv_bytes`.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Connection::recv), but for [`Error::Decode`].
    pub fn recv_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(self.channel.receive()?.bytes)
    }
}

impl<S: ?Sized, R: ?Sized> AsFd for Connection<S, R> {
    /// Readable when there is something to receive, or the other end is closed.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

impl<S: ?Sized, R: ?Sized> fmt::Debug for Connection<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.channel).finish()
    }
}

/// A value could not be sent. It is still here.
pub struct SendError<T> {
    /// The value.
    pub value: T,
    /// Why.
    pub error: Error,
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("SendError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> std::error::Error for SendError<T> {}

impl<T> From<SendError<T>> for Error {
    fn from(failed: SendError<T>) -> Self {
        failed.error
    }
}
