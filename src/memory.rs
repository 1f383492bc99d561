//! A block of memory that processes share: a memfd, mapped. It has no path, so it is gone with
//! the last process that has it.
//!
//! Each handle has the address; all its clones share the descriptor and the mapping. Sending a
//! handle sends the descriptor, and the receiver maps the memory again: a process that receives
//! a block twice has two mappings of it.

use crate::Error;
use crate::descriptor::{self, keep_reason};
use crate::error::Trying;
use crate::sys::mapping::{Area, Mapping, reserve, reserved_length};
use crate::sys::{memfd, process_id};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::{TypeId, type_name};
use std::fmt;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// These seals keep the length of the block as it is (fcntl(2)).
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW);

/// What a block holds. The memfd is named after it, and nobody can rename a memfd: plain data is
/// never taken for a lock, nor a lock for data, nor elements of one type for those of another.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Lock,
    RLock,
    Semaphore,
    Event,
    Condition,
    Barrier,
    /// Elements of this type behind a lock.
    Array(TypeId, &'static str),
    /// Elements of this type without a lock.
    Raw(TypeId, &'static str),
    /// The ring of a queue of this type.
    Queue(TypeId, &'static str),
}

impl Kind {
    pub fn array_of<T: 'static>() -> Self {
        Self::Array(TypeId::of::<T>(), type_name::<T>())
    }

    pub fn raw_array_of<T: 'static>() -> Self {
        Self::Raw(TypeId::of::<T>(), type_name::<T>())
    }

    pub fn queue_of<T: 'static>() -> Self {
        Self::Queue(TypeId::of::<T>(), type_name::<T>())
    }

    /// The `TypeId`, the same in all processes of a program, tells apart types of the same name.
    /// The name may be cut off, because the system takes at most 249 bytes.
    fn name(self) -> String {
        let mut name = format!("{self:?}");
        name.truncate(name.floor_char_boundary(200));
        name
    }
}

#[derive(Clone)]
pub struct Memory {
    pub area: Area,
    shared: Arc<Shared>,
}

/// What all clones of a handle share.
#[derive(Debug)]
struct Shared {
    file: OwnedFd,
    mapping: ManuallyDrop<Mapping>,
    pinned: AtomicBool,
}

impl Memory {
    // ANCHOR: new
    /// A block of zeroes. All of it is reserved, so touching it later never fails.
    pub fn new(kind: Kind, length: usize) -> Result<Self, Error> {
        Self::make(kind, length, None)
    }
    // ANCHOR_END: new

    /// A block of zeroes, which is followed by its bytes from `ring` on once more: see
    /// [`Mapping::mirrored`].
    pub fn mirrored(kind: Kind, length: usize, ring: usize) -> Result<Self, Error> {
        Self::make(kind, length, Some(ring))
    }

    // ANCHOR: make
    fn make(kind: Kind, length: usize, ring: Option<usize>) -> Result<Self, Error> {
        let what = || format!("reserve {length} bytes of shared memory");
        let file = memfd::create(&kind.name()).trying_to("make a memfd")?;
        reserve(&file, length).trying_to_do(what)?;
        let seals = FcntlArg::F_ADD_SEALS(SEALS | SealFlag::F_SEAL_SEAL);
        fcntl(&file, seals).trying_to("seal a memfd")?;
        Self::map(file, length, ring)
    }
    // ANCHOR_END: make

    /// A block that another process made. With `ring`, it was made by `mirrored`.
    pub fn received(file: OwnedFd, ring: Option<usize>) -> Result<Self, Error> {
        let seals = fcntl(&file, FcntlArg::F_GET_SEALS).trying_to("look at shared memory")?;
        if !SealFlag::from_bits_truncate(seals).contains(SEALS) {
            return Err(rejected("another process could shrink it: it is not sealed"));
        }
        match reserved_length(&file).trying_to("measure shared memory")? {
            Some(length) => Self::map(file, length, ring),
            None => Err(rejected("not all of it is reserved")),
        }
    }

    fn map(file: OwnedFd, length: usize, ring: Option<usize>) -> Result<Self, Error> {
        process_id::watch(); // its guards will ask for this process's id
        let mapping = match ring {
            None => Mapping::new(&file, length),
            Some(ring) => Mapping::mirrored(&file, length, ring),
        };
        let mapping = mapping.trying_to_do(|| format!("map {length} bytes of shared memory"))?;
        let (area, mapping) = (mapping.area(), ManuallyDrop::new(mapping));
        let shared = Shared { file, mapping, pinned: AtomicBool::new(false) };
        Ok(Self { area, shared: Arc::new(shared) })
    }

    /// The block itself, if it is of this kind and has at least this many bytes.
    pub fn checked(self, kind: Kind, at_least: usize) -> Result<Self, String> {
        let name = memfd::name_of(&self.shared.file)
            .map_err(|error| keep_reason(format!("cannot look at its name in /proc: {error}")))?;
        let (name, expected) = (name.unwrap_or_default(), kind.name());
        let length = self.area.length;
        if name != expected {
            return Err(keep_reason(format!(
                "it is shared memory of {name:?}, not of {expected:?}"
            )));
        }
        match length >= at_least {
            true => Ok(self),
            false => Err(keep_reason(format!("{expected} does not fit into {length} bytes"))),
        }
    }

    /// Sets whether the block stays mapped after its last handle, because a list of the kernel
    /// points into it.
    #[inline]
    pub fn pin(&self, pinned: bool) {
        self.shared.pinned.store(pinned, Relaxed);
    }
}

fn rejected(reason: &str) -> Error {
    Error::Decode { what: "shared memory".into(), reason: reason.into() }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.pinned.load(Relaxed) {
            // SAFETY: it is dropped only here, and `self` is not used after this function.
            unsafe { ManuallyDrop::drop(&mut self.mapping) };
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} bytes at {:p}", self.area.length, self.area.start)
    }
}

impl Serialize for Memory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        descriptor::serialize(&self.shared.file, serializer)
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = descriptor::deserialize(deserializer)?;
        Self::received(file, None).map_err(descriptor::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_differ_by_their_type() {
        type Tuple<T> = (T, String, String, String, String, String, String, String, String);
        let names =
            [Kind::array_of::<Tuple<u8>>(), Kind::array_of::<Tuple<Tuple<u8>>>()].map(Kind::name);
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() == 200), "{names:?}");
    }
}
