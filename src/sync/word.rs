//! A number in shared memory that processes wait on.

use crate::Error;
use crate::memory::{Kind, Memory};
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// It is changed in one step, so a process that is killed has changed it or not.
#[derive(Clone)]
pub struct Word(Memory);

impl Word {
    /// It is 0.
    pub fn new(kind: Kind) -> Result<Self, Error> {
        Memory::new(kind, size_of::<AtomicU32>()).map(Self)
    }

    /// One that another process made.
    pub fn received(memory: Memory, kind: Kind) -> Result<Self, String> {
        memory.checked(kind, size_of::<AtomicU32>()).map(Self)
    }

    #[inline]
    pub fn get(&self) -> &AtomicU32 {
        // SAFETY: the memory has room for it and begins at a page, every process uses it as
        // an atomic, and it stays mapped as long as `self`.
        unsafe { self.0.area.start.cast().as_ref() }
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.get().load(Relaxed).fmt(f)
    }
}
