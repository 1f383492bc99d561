//! The socket that listens.

use super::address::Address;
use crate::Error;
use crate::error::Trying;
use crate::tracker::{FileName, Registration, is_stale, lock_folder};
use nix::sys::socket::{Backlog, listen};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// A socket that listens. Its calls do not wait.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Socket {
    pub fn bind(address: &Address) -> Result<Self, Error> {
        Self::try_bind(address).trying_to_do(|| format!("listen at {address}"))
    }

    fn try_bind(address: &Address) -> io::Result<Self> {
        let socket = match address {
            Address::Tcp(text) => Self::Tcp(TcpListener::bind(text)?),
            Address::Unix(path) => Self::Unix(bind_unix(path)?, path.clone()),
        };
        listen(&socket, Backlog::MAXALLOWABLE)?; // std lets 128 wait to be accepted
        match &socket {
            Self::Tcp(listener) => listener.set_nonblocking(true)?,
            Self::Unix(listener, _) => listener.set_nonblocking(true)?,
        }
        Ok(socket)
    }

    /// Sees to it that the file of a Unix socket is removed.
    pub fn register(&self) -> Result<Option<Registration>, Error> {
        let Self::Unix(_, path) = self else { return Ok(None) };
        let name = FileName::of_path(path).trying_to("look at the socket's file")?;
        let registered = Registration::new(name.clone());
        registered.inspect_err(|_| drop(name.unlink())).map(Some)
    }

    pub fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr()?.into()),
            Self::Unix(_, path) => Ok(Address::Unix(path.clone())),
        }
    }

    /// The next one that has connected, and its address. One at a Unix socket has none, and gets
    /// the listener's.
    pub fn accept(&self) -> io::Result<(OwnedFd, Address)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                let _ = stream.set_nodelay(true); // it may have gone already
                Ok((stream.into(), address.into()))
            }
            Self::Unix(listener, path) => {
                Ok((listener.accept()?.0.into(), Address::Unix(path.clone())))
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener, _) => listener.as_fd(),
        }
    }
}

/// Takes the place of a socket whose listener is gone.
///
/// The folder's lock keeps two from doing so at once: otherwise one could remove what the other
/// has just bound.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let _lock = lock_folder(path)?;
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path)? => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}
