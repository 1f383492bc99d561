//! The end that sends.

use super::{Channel, Message};
use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The end of a [`pipe_one_way`](crate::pipe_one_way), or the half of a
/// [`Connection`](crate::Connection), that sends values of the type `T`.
///
/// It is to processes what `std::sync::mpsc::Sender` is to threads. It can be cloned, and it
/// travels to a child in the arguments of a [`Process`](crate::Process), or to a process that
/// already runs through another pipe; the process that sent it no longer has it. Python's second
/// `Connection` of `Pipe(duplex=False)`.
///
/// However many senders there are, in whatever processes, each message arrives whole and in the
/// order in which its sender sent it. A sender that is *killed* takes its own message with it
/// and no other. One that is *stopped* (`SIGSTOP`) in the middle of a long message, one of
/// 96 KiB or more, holds up the others: the receiver waits for the end of that message first.
///
/// The receiver is told of the end ([`Error::Closed`]) when the last clone in the last process
/// is gone. `fork` copies every sender: its child must drop the ones that it does not use.
///
/// ```
/// use multiprocessing::{Error, Process, Sender, pipe_one_way};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let (receiver, sender) = pipe_one_way()?;
///     let first = Process::spawn(count, (sender.clone(), 0))?;
///     let second = Process::spawn(count, (sender, 10))?;
///     let mut numbers: Vec<u32> = receiver.iter().collect::<Result<_, _>>()?;
///     numbers.sort();
///     assert_eq!(numbers, [0, 1, 10, 11]);
///     first.join()?;
///     second.join()
/// }
///
/// fn count((sender, start): (Sender<u32>, u32)) {
///     for number in start..start + 2 {
///         sender.send(number).expect("the parent receives");
///     }
/// }
/// ```
///
/// A sender that was sent away is gone:
///
/// ```compile_fail,E0382
/// # use multiprocessing::{Process, pipe_one_way};
/// let (receiver, sender) = pipe_one_way::<u32>()?;
/// Process::spawn(drop, sender)?;
/// sender.send(1)?; // it is the child's now
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// And there is nothing to wait for at a sender:
///
/// ```compile_fail,E0277
/// let (_receiver, sender) = multiprocessing::pipe_one_way::<u32>()?;
/// multiprocessing::wait(&[sender], None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sender<T: ?Sized> {
    channel: Channel,
    values: PhantomData<fn(Box<T>)>,
}

impl<T: ?Sized> Sender<T> {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, values: PhantomData }
    }

    /// Closes this sender, as dropping it does. Python's `close`.
    pub fn close(self) {}
}

impl<T: Serialize> Sender<T> {
    /// Sends a value. The senders, receivers, locks and descriptors that it holds go along.
    ///
    /// A value of less than 96 KiB (as it is encoded) goes into the socket's buffer. If that is
    /// full, `send` waits until the receiver has taken an earlier one. By default, the buffer has
    /// room for about 280 values of a few bytes, or for 3 of 95 KiB.
    ///
    /// A longer value goes through a socket of its own in pieces of 200 KiB, each of which waits
    /// until the one before it was received. So a value of up to 200 KiB still does not wait for
    /// the receiver. With one that is longer, `send` returns when all but the last piece have been
    /// received.
    ///
    /// Two processes that both send before they receive can therefore wait for each other for
    /// ever, as in Python. Let one of them receive first, or [`split`](crate::Connection::split)
    /// the connection between two threads.
    ///
    /// # Errors
    ///
    /// The value comes back in the error.
    ///
    /// - [`Error::Closed`]: every receiver is gone, or the one that was receiving this value has
    ///   ended or had no memory or descriptor left for it.
    /// - [`Error::Encode`]: the value cannot be serialised, leaves a field out
    ///   (`skip_serializing_if`), holds more than 252 descriptors, or there is not enough memory to
    ///   encode it.
    /// - [`Error::System`]: this process has no descriptor left for a long value, or this user has
    ///   too many descriptors on their way (`ETOOMANYREFS` in unix(7)).
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.try_to_send(&value).map_err(|error| SendError { value, error })
    }

    fn try_to_send(&self, value: &T) -> Result<(), Error> {
        let mut message = Message::default();
        message.push(value)?;
        self.channel.send(&message.bytes, &message.numbers()?)
    }
}

impl Sender<[u8]> {
    /// Sends bytes as they are; when it waits, [`send`](Sender::send) says. Python's `send_bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::System`], as those of [`send`](Sender::send).
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.channel.send(bytes, &[])
    }
}

impl<T: ?Sized> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self::new(self.channel.clone())
    }
}

impl<T: ?Sized> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.channel).finish()
    }
}

/// A value that could not be sent, and why. `{:?}` shows the same message as `{}`.
pub struct SendError<T> {
    /// The value.
    pub value: T,
    /// Why it was not sent.
    pub error: Error,
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match f.alternate() {
            true => f.debug_struct("SendError").field("error", &self.error).finish_non_exhaustive(),
            false => fmt::Display::fmt(self, f),
        }
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
