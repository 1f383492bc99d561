//! A file in this process's memory, shared with all who map it (mmap(2)).

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::fstat;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;

#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: NonZeroUsize,
}

// SAFETY: it is an address and a length; what lies there is the same for every thread.
unsafe impl Send for Mapping {}
// SAFETY: the same.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// The first `length` bytes, to read and to write.
    pub fn new(file: impl AsFd, length: NonZeroUsize) -> io::Result<Self> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the system chooses where, so nothing that is there is lost.
        let start = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self { start: start.cast(), length })
    }

    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub fn len(&self) -> usize {
        self.length.get()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `new`, and whatever points into it borrows it.
        let _ = unsafe { munmap(self.start.cast(), self.length.get()) };
    }
}

/// A smaller block than this is not worth a look at the memory that is left.
const LARGE: u64 = 16 * 1024 * 1024;

/// Makes a file in memory so long, and all of it real. ftruncate(2) promises more
/// than there is, and a touch is SIGBUS then.
pub fn reserve(file: impl AsFd, length: usize) -> io::Result<()> {
    let length = length as u64;
    check_limit(length)?;
    // A memfd has no limit: the system would kill programs before it says no.
    if length > LARGE && available_memory()?.is_some_and(|available| length > available) {
        return Err(Errno::ENOMEM.into());
    }
    let length = i64::try_from(length).map_err(|_| Errno::ENOMEM)?;
    loop {
        match fallocate(&file, FallocateFlags::empty(), 0, length) {
            Err(Errno::EINTR) => continue,
            reserved => return Ok(reserved?),
        }
    }
}

/// The system kills a program that makes a file longer than its limit (SIGXFSZ).
pub fn check_limit(length: u64) -> io::Result<()> {
    match length > getrlimit(Resource::RLIMIT_FSIZE)?.0 {
        true => Err(Errno::EFBIG.into()),
        false => Ok(()),
    }
}

/// Of st_blocks in stat(2), in bytes.
const BLOCK: i64 = 512;

/// How long a file in memory is, in bytes, if all of it is real; `None` if it has holes.
pub fn reserved_length(file: impl AsFd) -> io::Result<Option<usize>> {
    let status = fstat(file)?;
    let is_real = status.st_blocks * BLOCK >= status.st_size;
    Ok(usize::try_from(status.st_size).ok().filter(|_| is_real))
}

/// In bytes (proc_meminfo(5)).
fn available_memory() -> io::Result<Option<u64>> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = available.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kilobytes.map(|kilobytes| kilobytes * 1024))
}
