//! A few numbers in shared memory that processes wait on.

use crate::Error;
use crate::descriptor::keep_reason;
use crate::memory::{Kind, Memory};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::atomic::AtomicU32;

/// `N` numbers. Each is changed in one step, so a process that is killed leaves all
/// of them as they should be.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Memory")]
pub struct Words<const N: usize>(Memory);

impl<const N: usize> Words<N> {
    /// All of them 0.
    pub fn new() -> Result<Self, Error> {
        Memory::new(Kind::Words, size_of::<[AtomicU32; N]>()).map(Self)
    }

    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    #[inline]
    pub fn get(&self) -> &[AtomicU32; N] {
        // SAFETY: so many numbers have room, and all who share them use atomics.
        unsafe { self.0.start().cast().as_ref() }
    }
}

impl<const N: usize> TryFrom<Memory> for Words<N> {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, Self::Error> {
        let memory = memory.made_for(Kind::Words)?;
        match memory.len() == size_of::<[AtomicU32; N]>() {
            true => Ok(Self(memory)),
            false => Err(keep_reason("shared memory of another size".into())),
        }
    }
}

impl<const N: usize> Serialize for Words<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
