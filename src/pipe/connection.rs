//! An end that sends and receives.

use super::{Channel, Receiver, SendError, Sender, Writable};
use crate::Error;
use crate::descriptor::descriptor_of_field;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::os::fd::AsFd;
use std::time::Duration;

/// One end of a [`pipe`](crate::pipe): it sends values of the type `S` and receives values of
/// the type `R`. Python's `multiprocessing.connection.Connection`.
///
/// It is a [`Sender`] and a [`Receiver`] in one, and behaves as they do. It has one owner. It
/// travels to a child in the arguments of a [`Process`](crate::Process), or to a running process
/// through another pipe, and the process that sent it no longer has it. So as soon as the owner
/// is gone, the other end is told that nothing more comes ([`Error::Closed`]). (`fork` copies
/// every open end: its child must drop those that it does not use.)
///
/// Values travel in postcard's format, which does not describe itself. A type that needs such a
/// format (serde's `deserialize_any`), for example `serde_json::Value`, cannot be received. A
/// `Connection<[u8], [u8]>` sends and receives bytes as they are.
///
/// ```
/// use multiprocessing::{Connection, Error, Process, pipe};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let (ours, theirs) = pipe()?;
///     let child = Process::spawn(measure, theirs)?;
///     ours.send("hello".to_string())?;
///     assert_eq!(ours.recv()?, 5);
///     child.join()
/// }
///
/// fn measure(connection: Connection<usize, String>) {
///     let text = connection.recv().expect("the parent sends one");
///     connection.send(text.len()).expect("the parent receives");
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "", from = "Channel")]
pub struct Connection<S: ?Sized, R: ?Sized> {
    /// It shares the receiver's descriptor, which travels only once.
    #[serde(skip_serializing)]
    sender: Sender<S>,
    receiver: Receiver<R>,
}

impl<S: ?Sized, R: ?Sized> From<Channel> for Connection<S, R> {
    fn from(channel: Channel) -> Self {
        Self { sender: Sender::new(channel.clone()), receiver: Receiver::new(channel) }
    }
}

impl<S: ?Sized, R: ?Sized> Connection<S, R> {
    /// See [`Receiver::poll`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::poll`].
    pub fn poll(&self, timeout: Duration) -> Result<bool, Error> {
        self.receiver.poll(timeout)
    }

    /// What to pass to [`wait`](crate::wait()) to learn when this end can send without waiting. See
    /// [`Sender::writable`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::writable`].
    pub fn writable(&self) -> Result<Writable, Error> {
        self.sender.writable()
    }

    /// The half that receives and the half that sends, for two threads or two processes.
    ///
    /// Both are still one end: the other end is told that nothing more comes when both halves and
    /// all clones of the sender are gone.
    pub fn split(self) -> (Receiver<R>, Sender<S>) {
        (self.receiver, self.sender)
    }

    /// Closes this end, as dropping it does. Python's `close`.
    pub fn close(self) {}
}

impl<S: Serialize, R: ?Sized> Connection<S, R> {
    /// Sends a value. [`Sender::send`] says when it waits.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send`].
    pub fn send(&self, value: S) -> Result<(), SendError<S>> {
        self.sender.send(value)
    }

    /// Sends a value if there is room for it, and never waits. See [`Sender::try_send`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::try_send`].
    pub fn try_send(&self, value: S) -> Result<(), SendError<S>> {
        self.sender.try_send(value)
    }
}

impl<S: ?Sized, R: DeserializeOwned> Connection<S, R> {
    /// Waits for the next value. See [`Receiver::recv`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv`].
    pub fn recv(&self) -> Result<R, Error> {
        self.receiver.recv()
    }

    /// The next value, without waiting for one. If one has begun, this waits for its end: see
    /// [`Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::try_recv`].
    pub fn try_recv(&self) -> Result<R, Error> {
        self.receiver.try_recv()
    }

    /// Waits for the next value, but no longer than `timeout` for it to begin. See
    /// [`Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv_timeout`].
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R, Error> {
        self.receiver.recv_timeout(timeout)
    }

    /// The values until nothing more comes. See [`Receiver::iter`].
    pub fn iter(&self) -> impl Iterator<Item = Result<R, Error>> {
        self.receiver.iter()
    }
}

impl<R: ?Sized> Connection<[u8], R> {
    /// Sends bytes as they are. See [`Sender::send_bytes`].
    ///
    /// # Errors
    ///
    /// Those of [`Sender::send_bytes`].
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.sender.send_bytes(bytes)
    }
}

impl<S: ?Sized> Connection<S, [u8]> {
    /// Waits for the next message and returns its bytes. See [`Receiver::recv_bytes`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv_bytes`].
    pub fn recv_bytes(&self) -> Result<Vec<u8>, Error> {
        self.receiver.recv_bytes()
    }

    /// Waits for the next message and copies its bytes into a buffer; a message that does not fit
    /// is kept. See [`Receiver::recv_bytes_into`].
    ///
    /// # Errors
    ///
    /// Those of [`Receiver::recv_bytes_into`].
    pub fn recv_bytes_into(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.receiver.recv_bytes_into(buffer)
    }
}

descriptor_of_field!([S: ?Sized, R: ?Sized] Connection<S, R>, receiver,
    /// Readable when a message has begun to arrive, or when nothing more comes.
);

impl<S: ?Sized, R: ?Sized> fmt::Debug for Connection<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.receiver.as_fd()).finish()
    }
}
