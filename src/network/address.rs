//! Where a listener is.

use crate::Error;
use crate::error::Trying;
use crate::sys::deadline::{Deadline, time_left};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a [`Listener`](crate::Listener) is: a TCP port, or the path of a Unix socket.
///
/// A text with a `/` becomes a path, any other `host:port`. (Python takes a tuple or a text.)
///
/// ```
/// use multiprocessing::Address;
///
/// assert_eq!(Address::from("localhost:6000"), Address::Tcp("localhost:6000".into()));
/// assert_eq!(Address::from("./socket"), Address::Unix("./socket".into()));
/// assert_eq!(Address::from("[::1]:6000").to_string(), "[::1]:6000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    /// `host:port`, as [`ToSocketAddrs`] reads it. The host is a name or an IP address (IPv6 in
    /// brackets). At a listener, port 0 is one that is free. Python's `AF_INET`.
    Tcp(String),
    /// A path of at most 107 bytes (unix(7)). Python's `AF_UNIX`.
    Unix(PathBuf),
}

impl Address {
    /// A socket that is connected to this address, and the address that the socket knows.
    pub(super) fn connect(&self, deadline: Deadline) -> Result<(OwnedFd, Self), Error> {
        let connected = match self {
            Self::Tcp(text) => connect_tcp(text, deadline),
            Self::Unix(path) => connect_unix(path, deadline).map(|socket| (socket, self.clone())),
        };
        match connected {
            // Without a deadline, it is the system's own limit.
            Err(error) if error.kind() == ErrorKind::TimedOut && deadline.is_some() => {
                Err(Error::TimedOut)
            }
            connected => connected.trying_to_do(|| format!("connect to {self}")),
        }
    }
}

/// Tries all addresses that the host has.
fn connect_tcp(text: &str, deadline: Deadline) -> io::Result<(OwnedFd, Address)> {
    let mut failed = io::Error::new(ErrorKind::InvalidInput, "the host has no address");
    for address in text.to_socket_addrs()? {
        match connect_tcp_to(address, deadline) {
            Ok(stream) => return Ok((stream.into(), address.into())),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn connect_tcp_to(address: SocketAddr, deadline: Deadline) -> io::Result<TcpStream> {
    let stream = match time_left(deadline) {
        None => TcpStream::connect(address)?,
        Some(Duration::ZERO) => return Err(ErrorKind::TimedOut.into()),
        Some(left) => TcpStream::connect_timeout(&address, left)?,
    };
    // If nobody listens, the system may choose the same port for this side, and connects the
    // socket to itself.
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(Errno::ECONNREFUSED.into());
    }
    stream.set_nodelay(true)?; // a small message does not wait for the answer to the one before
    Ok(stream)
}

/// While the listener has no room for one more, connect(2) waits as long as a send may wait.
fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<OwnedFd> {
    let address = UnixAddr::new(path)?;
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    loop {
        limit_send(&socket, time_left(deadline).map(|left| left.max(Duration::from_millis(1))))?;
        match connect(socket.as_raw_fd(), &address) {
            Err(Errno::EINTR) => continue,
            // The system's clock for this is coarse, and may ring a moment too early.
            Err(Errno::EAGAIN) if time_left(deadline) != Some(Duration::ZERO) => continue,
            Err(Errno::EAGAIN) => return Err(ErrorKind::TimedOut.into()),
            connected => connected?,
        }
        limit_send(&socket, None)?;
        return Ok(socket);
    }
}

/// How long a send may wait (SO_SNDTIMEO in socket(7)), where 0 is for ever.
fn limit_send(socket: &OwnedFd, limit: Option<Duration>) -> nix::Result<()> {
    let milliseconds = limit.map_or(0, |limit| limit.as_millis().min(i32::MAX as u128) as i64);
    setsockopt(socket, sockopt::SendTimeout, &TimeVal::milliseconds(milliseconds))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Tcp(text) => f.write_str(text),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        match text.contains('/') {
            true => Self::Unix(text.into()),
            false => Self::Tcp(text),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        text.to_string().into()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.to_string())
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Unix(path.into())
    }
}
