//! A file in this process's memory, shared with every process that maps it (mmap(2)).

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

/// An address and a length. The types that use it know when reading and writing there is sound.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub start: NonNull<u8>,
    pub length: usize,
}

// SAFETY: it is two numbers. Reading or writing through them takes `unsafe` code, and a mapping
// has the same addresses in every thread.
unsafe impl Send for Area {}
// SAFETY: the same.
unsafe impl Sync for Area {}

/// An area that is unmapped when this is dropped.
#[derive(Debug)]
pub struct Mapping(Area);

const ACCESS: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

impl Mapping {
    /// The first `length` bytes of a file, to read and to write.
    pub fn new(file: impl AsFd, length: usize) -> io::Result<Self> {
        let size = NonZeroUsize::new(length).ok_or(Errno::EINVAL)?;
        // SAFETY: without an address, the system chooses a free one, so no memory in use changes.
        let start = unsafe { mmap(None, size, ACCESS, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self(Area { start: start.cast(), length }))
    }

    // ANCHOR: mirrored
    /// The first `length` bytes of a file, and behind them those from `ring` on once more. Both
    /// numbers are multiples of a page.
    pub fn mirrored(file: impl AsFd, length: usize, ring: usize) -> io::Result<Self> {
        let mirror = NonZeroUsize::new(length.saturating_sub(ring)).ok_or(Errno::EINVAL)?;
        let mapping = Self::new(&file, length + mirror.get())?; // its end is not in the file
        let offset = i64::try_from(ring).map_err(|_| Errno::EINVAL)?;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let behind = mapping.0.start.addr().checked_add(length);
        // SAFETY: the `mirror` bytes behind the first `length` are the end of the mapping that was
        // just made. Nobody has its address yet, so the memory that is replaced is not in use.
        unsafe { mmap(behind, mirror, ACCESS, flags, file, offset) }?;
        Ok(mapping)
    }
    // ANCHOR_END: mirrored

    pub fn area(&self) -> Area {
        self.0
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` has mapped this area, and it is unmapped only here. Code that uses the area
        // keeps the mapping alive.
        let _ = unsafe { munmap(self.0.start.cast(), self.0.length) };
    }
}

/// Up to this length, [`check_memory`] does not check.
const LARGE: u64 = 16 * 1024 * 1024;

/// Gives a file in memory its length, and reserves all of it. (ftruncate(2) may promise more than
/// there is, and touching what is missing raises SIGBUS.)
pub fn reserve(file: impl AsFd, length: usize) -> io::Result<()> {
    let length = length as u64;
    check_limit(length)?;
    check_memory(length)?;
    let length = i64::try_from(length).map_err(|_| Errno::ENOMEM)?;
    // Older kernels give everything back when a signal arrives. Each piece takes little time.
    for start in (0..length).step_by(PIECE as usize) {
        reserve_piece(&file, start, PIECE.min(length - start))?;
    }
    Ok(())
}

const PIECE: i64 = 16 * 1024 * 1024;

fn reserve_piece(file: impl AsFd, start: i64, length: i64) -> nix::Result<()> {
    loop {
        match fallocate(&file, FallocateFlags::empty(), start, length) {
            Err(Errno::EINTR) => continue,
            reserved => return reserved,
        }
    }
}

/// Checks that this many bytes of memory are left. A memfd has no limit: the system kills
/// processes before it returns an error. (This does not see the limit of a cgroup, beyond which
/// the system kills, too.)
pub fn check_memory(length: u64) -> io::Result<()> {
    match length > LARGE && available_memory()?.is_some_and(|available| length > available) {
        true => Err(Errno::ENOMEM.into()),
        false => Ok(()),
    }
}

/// Checks the limit for files: a program that makes one longer is killed (SIGXFSZ).
pub fn check_limit(length: u64) -> io::Result<()> {
    match length > getrlimit(Resource::RLIMIT_FSIZE)?.0 {
        true => Err(Errno::EFBIG.into()),
        false => Ok(()),
    }
}

/// The unit of st_blocks in stat(2), in bytes.
const BLOCK: i64 = 512;

/// The length of a file in memory, in bytes; `None` if not all of it is reserved.
pub fn reserved_length(file: impl AsFd) -> io::Result<Option<usize>> {
    let status = fstat(file)?;
    let is_reserved = status.st_blocks * BLOCK >= status.st_size;
    Ok(usize::try_from(status.st_size).ok().filter(|_| is_reserved))
}

/// How many bytes of memory are left (proc_meminfo(5)).
fn available_memory() -> io::Result<Option<u64>> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = available.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kilobytes.map(|kilobytes| kilobytes * 1024))
}
