//! The socket that listens.

use super::address::Address;
use crate::Error;
use crate::error::Trying;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, connect, listen, socket,
};
use nix::unistd::{Pid, getpid};
use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
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

    /// The file that a Unix socket has.
    pub fn file(&self) -> io::Result<Option<SocketFile>> {
        match self {
            Self::Tcp(_) => Ok(None),
            Self::Unix(_, path) => SocketFile::new(path).map(Some),
        }
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
/// has just bound. It ends with the process that holds it, and leaves no file.
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

fn lock_folder(path: &Path) -> io::Result<Flock<File>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut folder = File::open(folder.unwrap_or(Path::new(".")))?;
    loop {
        match Flock::lock(folder, FlockArg::LockExclusive) {
            Ok(lock) => return Ok(lock),
            Err((again, Errno::EINTR)) => folder = again,
            Err((_, error)) => return Err(error.into()),
        }
    }
}

/// Whether this is a socket at which nobody listens.
fn is_stale(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let probe = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    Ok(connect(probe.as_raw_fd(), &UnixAddr::new(path)?) == Err(Errno::ECONNREFUSED))
}

/// The file of a Unix socket, which is removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Another program may have removed it, and made another at the same path.
    device_and_inode: (u64, u64),
    /// A forked child has a copy of this, and removes nothing.
    owner: Pid,
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        let device_and_inode = device_and_inode(path)?;
        Ok(Self { path: path.into(), device_and_inode, owner: getpid() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = device_and_inode(&self.path).is_ok_and(|now| now == self.device_and_inode);
        if is_ours && self.owner == getpid() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn device_and_inode(path: &Path) -> io::Result<(u64, u64)> {
    let status = fs::symlink_metadata(path)?;
    Ok((status.dev(), status.ino()))
}
