//! A number in shared memory that processes wait on.

use crate::Error;
use crate::memory::{Kind, Memory};
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Every change is one step: a process that is killed has changed the word or has not.
#[derive(Clone, Serialize)]
pub struct Word(Memory);

impl Word {
    /// A word that is 0.
    pub fn new(kind: Kind) -> Result<Self, Error> {
        Memory::new(kind, size_of::<AtomicU32>()).map(Self)
    }

    /// A word that another process made.
    pub fn received(memory: Memory, kind: Kind) -> Result<Self, String> {
        memory.checked(kind, size_of::<AtomicU32>()).map(Self)
    }

    #[inline]
    pub fn get(&self) -> &AtomicU32 {
        // SAFETY: `new` or `received` has checked that the memory has room for it. The memory
        // begins at a page, so it is aligned, and stays mapped as long as `self`. Its kind, which
        // nobody can change, keeps every process to accesses through this function.
        unsafe { self.0.area.start.cast().as_ref() }
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.get().load(Relaxed).fmt(f)
    }
}
