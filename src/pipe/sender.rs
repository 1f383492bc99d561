//! The end that sends.

use super::{Channel, Message, Writable};
use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The end of a [`pipe_one_way`](crate::pipe_one_way), or the half of a
/// [`Connection`](crate::Connection), that sends values of the type `T`.
///
/// It is to processes what `std::sync::mpsc::Sender` is to threads. It can be cloned. It travels
/// to a child in the arguments of a [`Process`](crate::Process), or to a running process through
/// another pipe, and the process that sent it no longer has it. Python's second `Connection` of
/// `Pipe(duplex=False)`.
///
/// With any number of senders in any processes, each message arrives whole, and the messages of
/// one sender arrive in order. If a sender is *killed*, only the message that it was sending is
/// lost. If a sender is *stopped* (`SIGSTOP`) in the middle of a long message, one of 96 KiB or
/// more, the others must wait: the receiver waits for the end of that message first.
///
/// The receiver is told that nothing more comes ([`Error::Closed`]) when the last clone in the
/// last process is gone. `fork` copies every sender: its child must drop those that it does not
/// use.
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
/// A sender has nothing to wait for; its [`writable`](Sender::writable) has:
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

    /// What to pass to [`wait`](crate::wait()) to learn when this sender can send without waiting.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the process has too many descriptors open.
    pub fn writable(&self) -> Result<Writable, Error> {
        Writable::new(&self.channel)
    }

    /// Closes this sender, as dropping it does. Python's `close`.
    pub fn close(self) {}
}

impl<T: Serialize> Sender<T> {
    /// Sends a value, with the senders, receivers, locks and descriptors in it.
    ///
    /// A value that takes less than 96 KiB when encoded goes into the socket's buffer. If the
    /// buffer is full, `send` waits until the receiver has taken an earlier value. By default, the
    /// buffer has room for about 280 values of a few bytes, or for 3 of 95 KiB.
    ///
    /// A longer value goes through a socket of its own, in pieces of 200 KiB. Each piece waits
    /// until the one before it was received. So `send` returns when all but the last piece have
    /// been received, and a value of up to 200 KiB does not wait for the receiver.
    ///
    /// Two processes that both send before they receive can therefore wait for each other for
    /// ever, as in Python. Let one of them receive first, or [`split`](crate::Connection::split)
    /// the connection between two threads.
    ///
    /// # Errors
    ///
    /// The value comes back in the error.
    ///
    /// - [`Error::Closed`]: every receiver is gone, or the receiver of this value has ended or had
    ///   no memory or descriptor left for it.
    /// - [`Error::Encode`]: the value cannot be serialised, leaves a field out
    ///   (`skip_serializing_if`), holds more than 252 descriptors, or there is not enough memory to
    ///   encode it.
    /// - [`Error::System`]: this process has no descriptor left for a long value, or this user has
    ///   too many descriptors in transit (`ETOOMANYREFS` in unix(7)).
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let sent = encode(&value).and_then(|m| self.channel.send(&m.bytes, &m.numbers()?));
        sent.map_err(|error| SendError { value, error })
    }

    /// Sends a value if the socket's buffer has room for it, and never waits: as
    /// [`std::sync::mpsc::SyncSender::try_send`].
    ///
    /// A value that takes 96 KiB or more when encoded goes into a file in memory, whose descriptor
    /// is sent. So no value waits for the receiver, whatever its length. If there is no room,
    /// [`writable`](Sender::writable) tells when there is. Python has no such call.
    ///
    /// # Errors
    ///
    /// The value comes back in the error.
    ///
    /// - [`Error::WouldBlock`]: the buffer is full. Nothing was sent.
    /// - Those of [`send`](Sender::send), and [`Error::System`] if a long value is longer than the
    ///   process may write to a file (`RLIMIT_FSIZE`).
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, pipe_one_way, wait};
    ///
    /// let (receiver, sender) = pipe_one_way::<u32>()?;
    /// let full = loop {
    ///     if let Err(full) = sender.try_send(7) {
    ///         break full;
    ///     }
    /// };
    /// assert!(matches!(full.error, Error::WouldBlock));
    /// assert_eq!(full.value, 7);
    /// while receiver.try_recv().is_ok() {}
    /// wait(&[sender.writable()?], None)?; // there is room again
    /// sender.try_send(8)?;
    /// assert_eq!(receiver.recv()?, 8);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        let sent =
            encode(&value).and_then(|m| self.channel.try_post_bytes(&m.bytes, &m.numbers()?));
        sent.map_err(|error| SendError { value, error })
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Message, Error> {
    let mut message = Message::default();
    message.push(value)?;
    Ok(message)
}

impl Sender<[u8]> {
    /// Sends bytes as they are. It waits as [`send`](Sender::send) does. Python's `send_bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::System`], as in [`send`](Sender::send).
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

/// A value that could not be sent or put, and why. `{:?}` shows the same message as `{}`.
#[derive(thiserror::Error)]
#[error("{error}")]
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

impl<T> From<SendError<T>> for Error {
    fn from(failed: SendError<T>) -> Self {
        failed.error
    }
}
