//! One end of a connection.

use super::address::Address;
use super::frame::{self, Incoming};
use super::handshake::Side;
use super::key::Key;
use super::session::Session;
use crate::Error;
use crate::descriptor::descriptor_of_field;
use crate::error::Trying;
use crate::pipe::{SendError, from_bytes, to_bytes};
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::lock;
use crate::wait::{wait, wait_until};
use nix::sys::socket::{Shutdown, shutdown};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::iter;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::time::Duration;

/// One end of a connection over TCP or a Unix socket, which sends values of the type `S` and
/// receives values of the type `R`. Python's `multiprocessing.connection.Client` returns a
/// `Connection`; [`Listener::accept`](crate::Listener::accept) returns the other end.
///
/// Values travel in postcard's format, and each is one message. A `Client<[u8], [u8]>` sends and
/// receives bytes as they are, also to and from Python's `send_bytes` and `recv_bytes`. Locks,
/// queues, shared memory and other things with a descriptor cannot travel to another machine:
/// sending one is [`Error::Encode`].
///
/// Threads may share it by reference. Each message goes out whole, and arrives whole at one of
/// those who receive. It belongs to one process, and cannot be sent to another.
///
/// A message may be as long as memory allows. Room is made while it arrives, so a length that lies
/// takes none. The other side has shown the key, but its bytes are not trusted: whatever arrives,
/// the result is a value or an error. (A value of a recursive type can be so deep that the stack
/// overflows.)
///
/// If the other *process* ends, even by a kill, its system closes the connection:
/// [`Error::Closed`]. If the other *machine* vanishes, nobody says so: a `recv` waits for ever. Use
/// [`recv_timeout`](Client::recv_timeout) where that matters.
///
/// ```
/// use multiprocessing::{Client, Error, Key, Listener, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let key = Key::random()?;
///     let listener = Listener::bind("127.0.0.1:0", key.clone())?;
///     let child = Process::spawn(measure, (listener.local_addr().to_string(), key))?;
///     let client = listener.accept::<String, usize>()?;
///     client.send("hello".into())?;
///     assert_eq!(client.recv()?, 5);
///     child.join()
/// }
///
/// fn measure((address, key): (String, Key)) {
///     let client = Client::<usize, String>::connect(address, key).expect("the parent listens");
///     let text = client.recv().expect("the parent sends one");
///     client.send(text.len()).expect("the parent receives");
/// }
/// ```
pub struct Client<S: ?Sized, R: ?Sized> {
    socket: OwnedFd,
    peer: Address,
    sending: Mutex<Sending>,
    receiving: Mutex<Incoming>,
    values: PhantomData<fn(Box<S>) -> Box<R>>,
}

/// Whether a message could not be sent to its end. The other side would take a next one for the
/// rest.
#[derive(Default)]
struct Sending {
    is_torn: bool,
}

impl<S: ?Sized, R: ?Sized> Client<S, R> {
    /// After the handshake.
    pub(super) fn new(socket: OwnedFd, peer: Address) -> Self {
        let (sending, receiving) = Default::default();
        Self { socket, peer, sending, receiving, values: PhantomData }
    }

    /// Connects to a [`Listener`](crate::Listener), or to Python's, which has the same key.
    ///
    /// It waits until the other side has shown the key. This crate's listener does so at once,
    /// Python's when it accepts.
    ///
    /// # Errors
    ///
    /// - [`Error::System`], with [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) or
    ///   `NotFound` if nobody listens there.
    /// - [`Error::Authentication`] if the other side has another key, or is no listener, or an old
    ///   Python and [`Key::allow_md5`] was not asked for; also for an empty key.
    /// - [`Error::Closed`] if the other side went away, or had too many other guests.
    pub fn connect(address: impl Into<Address>, key: impl Into<Key>) -> Result<Self, Error> {
        Self::connect_until(&address.into(), key.into(), None)
    }

    /// The same, but waits no longer than `timeout` (of the monotonic clock) in all. The time that
    /// it takes to look up a host's name is not limited.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; those of [`connect`](Client::connect).
    pub fn connect_timeout(
        address: impl Into<Address>,
        key: impl Into<Key>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        Self::connect_until(&address.into(), key.into(), deadline(timeout))
    }

    fn connect_until(address: &Address, key: Key, deadline: Deadline) -> Result<Self, Error> {
        let key = key.check()?;
        let (socket, peer) = address.connect(deadline)?;
        let mut session = Session::begin(socket, key, Side::Client)?;
        while !session.advance()? {
            if !wait_until(&session, deadline) && deadline.is_some() {
                return Err(Error::TimedOut);
            }
        }
        Ok(Self::new(session.into_socket(), peer))
    }

    /// The address of the other side. If it has connected to the path of a Unix socket, it has no
    /// address, and this is the path. Python's `Listener.last_accepted`.
    pub fn peer_addr(&self) -> Address {
        self.peer.clone()
    }

    /// Waits until something arrives or nothing more comes, but no longer than `timeout` (of the
    /// monotonic clock). Returns whether it did. [`Duration::ZERO`] does not wait. Python's `poll`.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system lacks memory.
    pub fn poll(&self, timeout: Duration) -> Result<bool, Error> {
        Ok(!wait(&[self], Some(timeout))?.is_empty())
    }

    /// Ends the connection in both directions, also for a thread that waits in `recv` or `send`:
    /// there it is [`Error::Closed`]. As [`std::net::TcpStream::shutdown`].
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the other side has ended it already.
    pub fn shutdown(&self) -> Result<(), Error> {
        shutdown(self.socket.as_raw_fd(), Shutdown::Both).trying_to("end a connection")
    }

    /// Closes this end, as dropping it does. Python's `close`.
    pub fn close(self) {}

    fn send_frame(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut sending = lock(&self.sending);
        if sending.is_torn {
            return Err(Error::Closed);
        }
        sending.is_torn = true; // until all is sent
        frame::send(&self.socket, bytes)?;
        sending.is_torn = false;
        Ok(())
    }

    /// The lock is held only while something is taken, never while this waits.
    fn receive_frame(&self, deadline: Deadline) -> Result<Vec<u8>, Error> {
        loop {
            match self.try_receive_frame() {
                Err(Error::WouldBlock) => (),
                received => return received,
            }
            if !wait_until(self, deadline) && deadline.is_some() {
                return Err(Error::TimedOut);
            }
        }
    }

    fn try_receive_frame(&self) -> Result<Vec<u8>, Error> {
        let mut receiving = lock(&self.receiving);
        receiving.advance(&self.socket, frame::NO_LIMIT)?.ok_or(Error::WouldBlock)
    }
}

impl<S: Serialize, R: ?Sized> Client<S, R> {
    /// Sends a value.
    ///
    /// It waits while the system's buffers are full, that is until the other side receives. Two
    /// sides that both send before they receive can therefore wait for each other for ever.
    ///
    /// # Errors
    ///
    /// The value comes back in the error.
    ///
    /// - [`Error::Closed`]: the other side is gone. (It may also be gone before it has received
    ///   what was sent without an error: only an answer tells.)
    /// - [`Error::Encode`]: the value cannot be serialised, leaves a field out
    ///   (`skip_serializing_if`), or holds a descriptor. Nothing was sent.
    /// - [`Error::System`]: the network has failed. The connection is closed for sending.
    pub fn send(&self, value: S) -> Result<(), SendError<S>> {
        let sent = to_bytes(&value, Vec::new()).and_then(|bytes| self.send_frame(&bytes));
        sent.map_err(|error| SendError { value, error })
    }
}

impl<S: ?Sized, R: DeserializeOwned> Client<S, R> {
    /// Waits for the next value.
    ///
    /// # Errors
    ///
    /// - [`Error::Closed`]: the other side has closed its end or ended, and everything was
    ///   received. Python's `EOFError`.
    /// - [`Error::Unfinished`]: it ended in the middle of a message. Nothing follows.
    /// - [`Error::Decode`]: the message is not an `R`, and the next one can be received; or there
    ///   is not enough memory for it, or the bytes are no messages, and nothing follows.
    /// - [`Error::System`]: the network has failed.
    pub fn recv(&self) -> Result<R, Error> {
        from_bytes(&self.receive_frame(None)?)
    }

    /// Waits for the next value, but no longer than `timeout` (of the monotonic clock) for all of
    /// it. What has arrived by then is kept, and the next `recv` goes on with it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; those of [`recv`](Client::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R, Error> {
        from_bytes(&self.receive_frame(deadline(timeout))?)
    }

    /// The next value, if all of it has arrived. What has arrived of it is kept.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if it has not; those of [`recv`](Client::recv).
    pub fn try_recv(&self) -> Result<R, Error> {
        from_bytes(&self.try_receive_frame()?)
    }

    /// The values until nothing more comes ([`Error::Closed`]). Any other error of
    /// [`recv`](Client::recv) is an item, and does not end the iteration.
    pub fn iter(&self) -> impl Iterator<Item = Result<R, Error>> {
        iter::from_fn(|| match self.recv() {
            Err(Error::Closed) => None,
            received => Some(received),
        })
    }
}

impl<R: ?Sized> Client<[u8], R> {
    /// Sends bytes as they are. It waits as [`send`](Client::send) does. Python's `send_bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::System`], as in [`send`](Client::send).
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.send_frame(bytes)
    }
}

impl<S: ?Sized> Client<S, [u8]> {
    /// Waits for the next message and returns its bytes. Python's `recv_bytes`.
    ///
    /// # Errors
    ///
    /// Those of [`recv`](Client::recv), but [`Error::Decode`] only if nothing follows.
    pub fn recv_bytes(&self) -> Result<Vec<u8>, Error> {
        self.receive_frame(None)
    }

    /// The same, but waits no longer than `timeout`: see [`recv_timeout`](Client::recv_timeout).
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`]; those of [`recv_bytes`](Client::recv_bytes).
    pub fn recv_bytes_timeout(&self, timeout: Duration) -> Result<Vec<u8>, Error> {
        self.receive_frame(deadline(timeout))
    }
}

descriptor_of_field!([S: ?Sized, R: ?Sized] Client<S, R>, socket,
    /// Readable when something arrives, or when nothing more comes.
);

impl<S: ?Sized, R: ?Sized> fmt::Debug for Client<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Client").field("peer", &self.peer).finish_non_exhaustive()
    }
}
