//! The path of a file, and which file is meant.

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{self, Path, PathBuf};

/// A path and the identity of its file: another program may remove the file and make another at
/// the same path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileName {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl FileName {
    /// The name of a file that has this path, or will get it.
    pub fn new(path: &Path, (device, inode): (u64, u64)) -> io::Result<Self> {
        // This process may go to another folder, and the tracker does not follow.
        Ok(Self { path: path::absolute(path)?, device, inode })
    }

    /// The name of the file that has this path now.
    pub fn of_path(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Self::new(path, (file.dev(), file.ino()))
    }

    /// Removes the name. `NotFound` if the file no longer has it. (As long as somebody has the file
    /// open, or listens at the socket, no other file gets its number.)
    pub fn unlink(&self) -> io::Result<()> {
        match Self::of_path(&self.path)? == *self {
            true => fs::remove_file(&self.path),
            false => Err(Errno::ENOENT.into()),
        }
    }

    /// The same after the end of whoever made the file. Another listener may have taken the place
    /// of a socket since, even with the number of its file.
    pub fn clean_up(&self) -> io::Result<()> {
        if !fs::symlink_metadata(&self.path)?.file_type().is_socket() {
            return self.unlink();
        }
        let _lock = lock_folder(&self.path)?;
        if is_stale(&self.path)? { self.unlink() } else { Ok(()) }
    }
}

/// Locks a folder against all who bind sockets there or remove stale ones. The lock ends with the
/// process that holds it, and leaves no file (flock(2)).
pub fn lock_folder(path: &Path) -> io::Result<Flock<File>> {
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

/// Whether this is a socket at which nobody listens. (While the folder is locked, nobody is about
/// to listen there, either.)
pub fn is_stale(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let probe = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    Ok(connect(probe.as_raw_fd(), &UnixAddr::new(path)?) == Err(Errno::ECONNREFUSED))
}
