//! Files in memory (memfd_create(2)). The name of each, which nobody can change, says what it
//! holds.

use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The name of every memfd of this crate begins like this.
const PREFIX: &str = "multiprocessing-";

/// A new, empty memfd. The system takes names of up to 249 bytes.
pub fn create(name: &str) -> io::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    Ok(memfd_create(format!("{PREFIX}{name}").as_str(), flags)?)
}

/// The name of a memfd of this crate; `None` for any other file (proc_pid_fd(5)).
pub fn name_of(file: impl AsFd) -> io::Result<Option<String>> {
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()))?;
    let name = path.to_str().and_then(|path| path.strip_prefix("/memfd:")?.strip_prefix(PREFIX));
    Ok(name.and_then(|name| name.strip_suffix(" (deleted)")).map(str::to_string))
}
