//! A block of memory that processes share: a memfd that is mapped. It has no path,
//! so it is gone with the last process that has it.

use crate::Error;
use crate::descriptor::{self, because};
use crate::error::Trying;
use crate::sys::mapping::{Mapping, reserve, reserved_length};
use crate::sys::name_of;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::CStr;
use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;

/// What makes sure that the block stays as long as it is (fcntl(2)).
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW);

/// What a block is for. It is the name of the memfd, which nobody can change: plain
/// data is never taken for a lock, whatever was written there, nor a lock for data.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A lock, and what it protects.
    Lock,
    /// A lock, and the numbers of a barrier, which are also used without it.
    Barrier,
    /// Data without a lock.
    Raw,
    /// The numbers of a semaphore, an event or a condition.
    Words,
}

impl Kind {
    fn name(self) -> &'static CStr {
        match self {
            Self::Lock => c"multiprocessing-lock",
            Self::Barrier => c"multiprocessing-barrier",
            Self::Raw => c"multiprocessing-raw",
            Self::Words => c"multiprocessing-words",
        }
    }
}

#[derive(Debug)]
pub struct Memory {
    file: OwnedFd,
    mapping: Mapping,
}

impl Memory {
    // ANCHOR: new
    /// A block of zeroes. All of it is there: to touch it later never fails.
    pub fn new(kind: Kind, length: usize) -> Result<Self, Error> {
        let what = || format!("reserve {length} bytes of shared memory");
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = memfd_create(kind.name(), flags).trying_to("make a memfd")?;
        reserve(&file, length).trying_to_do(what)?;
        let seals = FcntlArg::F_ADD_SEALS(SEALS | SealFlag::F_SEAL_SEAL);
        fcntl(&file, seals).trying_to("seal a memfd")?;
        Self::map(file, length)
    }
    // ANCHOR_END: new

    /// One that another process made.
    fn of(file: OwnedFd) -> Result<Self, Error> {
        let seals = fcntl(&file, FcntlArg::F_GET_SEALS).trying_to("look at shared memory")?;
        if !SealFlag::from_bits_truncate(seals).contains(SEALS) {
            let reason = "another process could shrink it: it is not sealed".into();
            return Err(Error::Decode { what: "shared memory", reason });
        }
        let Some(length) = reserved_length(&file).trying_to("measure shared memory")? else {
            let reason = "not all of it is reserved".into();
            return Err(Error::Decode { what: "shared memory", reason });
        };
        Self::map(file, length)
    }

    /// Itself, if it was made for this. proc_pid_fd(5) tells its name.
    pub fn made_for(self, kind: Kind) -> Result<Self, String> {
        let name = name_of(&self.file)
            .map_err(|error| because(format!("/proc tells no name: {error}")))?;
        let expected = format!("/memfd:{} (deleted)", kind.name().to_string_lossy());
        match name.as_os_str() == expected.as_str() {
            true => Ok(self),
            false => Err(because(format!("{} is not {expected}", name.display()))),
        }
    }

    /// The same memory, mapped once more.
    pub fn try_clone(&self) -> Result<Self, Error> {
        let file = self.file.try_clone().trying_to("duplicate a descriptor of shared memory")?;
        Self::map(file, self.len())
    }

    fn map(file: OwnedFd, length: usize) -> Result<Self, Error> {
        let what = || format!("map {length} bytes of shared memory");
        let size = NonZeroUsize::new(length).ok_or_else(|| Error::refused(what(), libc::EINVAL))?;
        let mapping = Mapping::new(&file, size).trying_to_do(what)?;
        Ok(Self { file, mapping })
    }

    /// Lets go of the descriptor, but never of the addresses.
    pub fn stay_mapped(self) {
        mem::forget(self.mapping);
    }

    pub fn start(&self) -> NonNull<u8> {
        self.mapping.start()
    }

    pub fn len(&self) -> usize {
        self.mapping.len()
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        descriptor::serialize(&self.file, serializer)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = descriptor::deserialize(deserializer)?;
        Self::of(file).map_err(descriptor::custom)
    }
}
