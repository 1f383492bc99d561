//! Messages that are too long for the ring.
//!
//! They are in a file in memory. Message number n has its bytes at offset n × 4 GiB, where no
//! other message has any; what lies between takes no memory. The number is that of the message
//! in the ring, and the ring's locks say who writes and who reads:
//!
//! - A producer writes the bytes of the next number, then publishes the number in the ring. If
//!   it is killed before it has published, nobody reads the bytes. The next producer is told by
//!   the lock, and first removes what lies at the numbers from here on.
//! - A consumer copies the bytes, then passes the number in the ring, then removes the bytes. If
//!   it is killed before the removal, the next consumer is told by the lock, and removes what
//!   lies at the numbers behind it.

use super::position::NUMBERS;
use crate::descriptor::{self, keep_reason};
use crate::sys::{mapping, memfd};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The name of the memfd.
const NAME: &str = "Large";

/// The distance of two messages in the file, in bytes.
const DISTANCE: u64 = 1 << 32;

/// Whoever repairs removes half of all numbers: none of them is in the ring.
const HALF: u32 = NUMBERS / 2;

#[derive(Clone, Debug)]
pub struct Large(Arc<File>);

impl Large {
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(memfd::create(NAME)?.into())))
    }

    /// Writes a message, whole or not at all.
    pub fn write(&self, number: u32, bytes: &[u8]) -> io::Result<()> {
        let (offset, length) = (offset(number), bytes.len() as u64);
        if length > DISTANCE {
            return Err(Errno::EMSGSIZE.into());
        }
        mapping::check_limit(offset + length)?;
        mapping::check_memory(length)?;
        let written = self.0.write_all_at(bytes, offset);
        if written.is_err() {
            self.remove(number, 1);
        }
        written
    }

    pub fn read(&self, number: u32, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(bytes, offset(number))
    }

    /// What a killed producer may have left: the messages from this one on.
    pub fn remove_from(&self, number: u32) {
        self.remove(number, HALF);
    }

    /// What a killed consumer may have left: the messages before this one.
    pub fn remove_before(&self, number: u32) {
        self.remove(number.wrapping_sub(HALF) % NUMBERS, HALF);
    }

    /// Nobody takes a message any more. (One that is being copied is not taken, either: the
    /// position of a closed end does not move.)
    pub fn remove_all(&self) {
        self.remove(0, NUMBERS);
    }

    /// Gives back the memory of some messages. After the last number follows 0.
    pub fn remove(&self, first: u32, count: u32) {
        let before_end = count.min(NUMBERS - first);
        self.remove_range(first, before_end);
        self.remove_range(0, count - before_end);
    }

    /// How much memory the messages take.
    #[cfg(test)]
    pub fn blocks(&self) -> io::Result<u64> {
        Ok(std::os::linux::fs::MetadataExt::st_blocks(&self.0.metadata()?))
    }

    fn remove_range(&self, first: u32, count: u32) {
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        // If the system refuses, the memory is given back with the queue.
        let _ = fallocate(&*self.0, flags, offset(first) as i64, offset(count) as i64);
    }
}

fn offset(number: u32) -> u64 {
    u64::from(number) * DISTANCE
}

impl Serialize for Large {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        descriptor::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Large {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = descriptor::deserialize(deserializer)?;
        match memfd::name_of(&file) {
            Ok(Some(name)) if name == NAME => Ok(Self(Arc::new(file.into()))),
            _ => Err(serde::de::Error::custom(keep_reason(
                "its large messages are not in a memfd of a queue".into(),
            ))),
        }
    }
}
