//! A name in /dev/shm (shm_overview(7)), and the file that has it.

use crate::tracker::FileName;
use nix::errno::Errno;
use nix::fcntl::{self, AT_FDCWD, AtFlags, OFlag};
use nix::sys::mman::shm_open;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::linkat;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

const FOLDER: &str = "/dev/shm";

/// For this user only.
const MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// The name that `file` has or will get.
pub fn of_file(name: &str, file: &OwnedFd) -> io::Result<FileName> {
    let path = format!("{FOLDER}{}", path(name)?);
    let status = fstat(file)?;
    FileName::new(path.as_ref(), (status.st_dev, status.st_ino))
}

/// A new file in memory without a name (O_TMPFILE in open(2)).
pub fn unnamed() -> nix::Result<OwnedFd> {
    fcntl::open(FOLDER, OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC, MODE)
}

/// Gives a file this name. `EEXIST` if another file has it.
pub fn link(file: &OwnedFd, name: &str) -> nix::Result<()> {
    let this = format!("/proc/self/fd/{}", file.as_raw_fd());
    let path = format!("{FOLDER}{}", path(name)?);
    linkat(AT_FDCWD, this.as_str(), AT_FDCWD, path.as_str(), AtFlags::AT_SYMLINK_FOLLOW)
}

pub fn open(name: &str) -> nix::Result<OwnedFd> {
    shm_open(path(name)?.as_str(), OFlag::O_RDWR | OFlag::O_CLOEXEC, MODE)
}

/// The name as the system expects it, with a slash before it.
fn path(name: &str) -> nix::Result<String> {
    match name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
        true => Err(Errno::EINVAL),
        false => Ok(format!("/{name}")),
    }
}
