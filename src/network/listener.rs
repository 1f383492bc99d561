//! The side that waits for connections.

use super::address::Address;
use super::client::Client;
use super::key::Key;
use super::reception::Reception;
use super::socket::Socket;
use super::waiting_room::WaitingRoom;
use crate::Error;
use crate::descriptor::descriptor_of_field;
use crate::error::Trying;
use crate::sys::deadline::{Deadline, deadline};
use crate::tracker::Registration;
use crate::wait::wait_until;
use nix::unistd::{Pid, getpid};
use std::fmt;
use std::iter;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Waits for connections over TCP or a Unix socket, and lets in only those who show the key:
/// Python's `multiprocessing.connection.Listener`.
///
/// A thread of its own shakes hands, so a stranger holds up nobody:
///
/// - A handshake may take 5 seconds in all, and its messages have at most 256 bytes.
/// - 256 handshakes go on at once, or a quarter as many as the process may have descriptors.
///   Then the oldest of those who have not shown the key gives way to the next, once it is 250 ms
///   old. So a thousand silent strangers cost the others a second.
/// - Up to 128 who have shown the key wait for [`accept`](Listener::accept). Others wait before
///   the handshake.
/// - If the process has no descriptor left, newcomers wait until it has.
///
/// Handshake and messages are those of Python's `multiprocessing.connection`, so a Python program
/// can be the other side, if both send bytes (`Client<[u8], [u8]>`; Python's `send_bytes`). Python
/// 3.11 and older need [`Key::allow_md5`].
///
/// Without the key, nobody gets a connection, neither by repeating an earlier handshake nor by
/// sending back what he was sent. But nothing is encrypted, and whoever sits between the two sides
/// can let them shake hands and then take over. If you do not trust the network, listen at
/// `127.0.0.1` or at a path, and let an SSH tunnel or a VPN lead there.
///
/// Dropping it removes the file of a Unix socket, and ends its thread and all handshakes.
/// Connections that were accepted go on. If the process is killed, a small process removes the
/// file, as that of [`SharedMemory`](crate::SharedMemory) (in a program that calls
/// [`init`](crate::init)), and the next `bind` takes the place of one that stays all the same.
///
/// A child of a `fork` cannot accept, and keeps the address busy while it lives: fork before you
/// bind.
///
/// ```
/// use multiprocessing::{Client, Error, Listener};
/// use std::thread;
///
/// let listener = Listener::bind("127.0.0.1:0", "a secret of both")?;
/// let address = listener.local_addr();
/// let other_side = thread::spawn(|| -> Result<u32, Error> {
///     let client = Client::<String, u32>::connect(address, "a secret of both")?;
///     client.send("hello".into())?;
///     client.recv()
/// });
/// let client = listener.accept::<u32, String>()?;
/// assert_eq!(client.recv()?, "hello");
/// client.send(5)?;
/// assert_eq!(other_side.join().expect("no panic")?, 5);
/// # Ok::<(), Error>(())
/// ```
pub struct Listener {
    room: Arc<WaitingRoom>,
    address: Address,
    file: Option<Registration>,
    thread: Option<JoinHandle<()>>,
    /// A forked child has a copy of this, but not the thread.
    owner: Pid,
}

impl Listener {
    /// Listens at an address, such as `"127.0.0.1:6000"`, `"[::]:0"` or `"/run/me/socket"`.
    ///
    /// An address that was just in use can be taken again at once, and so can the path of a
    /// socket at which nobody listens any more. Any other file is left alone. (The path's folder
    /// must be readable: it is locked for the moment, flock(2), so a program that locks the folder
    /// holds this up.) Whoever may write to the file, as umask(2) says, may try to connect.
    ///
    /// # Errors
    ///
    /// - [`Error::System`], with [`AddrInUse`](std::io::ErrorKind::AddrInUse) if somebody listens
    ///   there.
    /// - [`Error::Authentication`] if the key is empty.
    pub fn bind(address: impl Into<Address>, key: impl Into<Key>) -> Result<Self, Error> {
        let key = key.into().check()?;
        let socket = Socket::bind(&address.into())?;
        let file = socket.register()?;
        let address = socket.address().trying_to("look up the socket's address")?;
        let room = Arc::new(WaitingRoom::new()?);
        let reception = Reception::new(socket, key, Arc::clone(&room));
        let thread = thread::Builder::new().name("listener".into()).spawn(|| reception.run());
        let thread = Some(thread.trying_to("start a thread")?);
        Ok(Self { room, address, file, thread, owner: getpid() })
    }

    /// Where it listens, with the port that the system has chosen for port 0. Python's `address`.
    pub fn local_addr(&self) -> Address {
        self.address.clone()
    }

    /// Waits for the next connection whose other side has shown the key, and has been shown it.
    /// Say what the connection sends and receives: `accept::<u32, String>()`.
    ///
    /// The other side may be gone by then; its connection is [`Error::Closed`].
    ///
    /// # Errors
    ///
    /// [`Error::System`] in a child of a `fork`. Strangers are no error, and neither is a lack of
    /// descriptors.
    pub fn accept<S: ?Sized, R: ?Sized>(&self) -> Result<Client<S, R>, Error> {
        self.accept_until(None)
    }

    /// The same, but waits no longer than `timeout` (of the monotonic clock).
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if nobody has come; those of [`accept`](Listener::accept).
    pub fn accept_timeout<S: ?Sized, R: ?Sized>(
        &self,
        timeout: Duration,
    ) -> Result<Client<S, R>, Error> {
        self.accept_until(deadline(timeout))
    }

    fn accept_until<S: ?Sized, R: ?Sized>(
        &self,
        deadline: Deadline,
    ) -> Result<Client<S, R>, Error> {
        if self.owner != getpid() {
            return Err(Error::refused("accept in a forked child", libc::EINVAL));
        }
        loop {
            if let Some((socket, peer)) = self.room.take() {
                return Ok(Client::new(socket, peer));
            }
            if !wait_until(&*self.room, deadline) && deadline.is_some() {
                return Err(Error::TimedOut);
            }
        }
    }

    /// All connections, one after the other, without an end: as
    /// [`std::net::TcpListener::incoming`].
    pub fn incoming<S: ?Sized, R: ?Sized>(
        &self,
    ) -> impl Iterator<Item = Result<Client<S, R>, Error>> {
        iter::repeat_with(|| self.accept())
    }

    /// How many connections were closed because the other side did not show the key: it had
    /// another one, said nothing in time, went away or had to give way.
    pub fn refused(&self) -> u64 {
        self.room.refused()
    }

    /// Stops listening, as dropping it does. Python's `close`.
    pub fn close(self) {}
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.file = None; // while somebody listens there, nobody takes its place
        if self.owner == getpid() {
            self.room.close();
            let _ = self.thread.take().map(JoinHandle::join);
        }
    }
}

descriptor_of_field!([] Listener, room,
    /// Readable when somebody who has shown the key waits to be accepted.
);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}
