//! A lock and what it protects, in one block of shared memory.

use crate::Error;
use crate::descriptor::because;
use crate::error::Trying;
use crate::memory::Memory;
use crate::sys::futex::Deadline;
use crate::sys::mutex::{Locking, RobustMutex};
use serde::{Deserialize, Serialize, Serializer};
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

// ANCHOR: block
/// What stands at the beginning of the memory. What the lock protects follows.
#[repr(C, align(16))]
struct Head {
    mutex: RobustMutex,
    /// 1: a holder died or panicked, and nobody has repaired the data since.
    /// Changed by the holder only.
    died: AtomicU32,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Memory")]
pub struct Block {
    memory: ManuallyDrop<Memory>,
    /// How many guards of this handle there are: more than one only if the lock is
    /// recursive. Changed by the holder only.
    held: AtomicU32,
}
// ANCHOR_END: block

/// The head and what is small stand in one cache line; what is not begins after it.
const LINE: usize = 64;

/// The block is locked by this thread. Dropping it unlocks.
#[derive(Debug)]
pub struct Held<'a> {
    block: &'a Block,
    /// A mutex belongs to the thread that locked it.
    not_send: PhantomData<*const ()>,
}

impl Block {
    /// Room for so many bytes, which are zeroes.
    pub fn new(recursive: bool, bytes: usize) -> Result<Self, Error> {
        // What is small stands in the cache line of the lock, and costs no other.
        let small = bytes <= LINE - size_of::<Head>();
        let start = if small { size_of::<Head>() } else { LINE };
        let memory = Memory::new(bytes.saturating_add(start))?;
        // SAFETY: the memory begins with room for the head, and is still ours alone.
        unsafe { RobustMutex::make_at(memory.start().cast().as_ptr(), recursive) }
            .trying_to("make a lock")?;
        Ok(Self::of(memory))
    }

    pub fn try_clone(&self) -> Result<Self, Error> {
        self.memory.try_clone().map(Self::of)
    }

    fn of(memory: Memory) -> Self {
        Self { memory: ManuallyDrop::new(memory), held: AtomicU32::new(0) }
    }

    fn head(&self) -> &Head {
        // SAFETY: it was made by `new`, here or in the process that sent it.
        unsafe { self.memory.start().cast().as_ref() }
    }

    /// What the lock protects: where it begins, aligned to 16, and how many bytes.
    #[inline]
    pub fn data(&self) -> (NonNull<u8>, usize) {
        let length = self.memory.len();
        let start = if length <= LINE { size_of::<Head>() } else { LINE };
        // SAFETY: the memory is at least as long.
        (unsafe { self.memory.start().add(start) }, length - start)
    }

    /// Waits for the lock. [`Error::OwnerDied`] if nobody has repaired what a dead
    /// holder left; then it is free again.
    #[inline]
    pub fn lock(&self) -> Result<Held<'_>, Error> {
        self.healthy(self.head().mutex.lock()).map(always)
    }

    pub fn try_lock(&self) -> Result<Option<Held<'_>>, Error> {
        self.healthy(self.head().mutex.try_lock())
    }

    pub fn lock_until(&self, deadline: Deadline) -> Result<Option<Held<'_>>, Error> {
        self.healthy(self.head().mutex.lock_until(deadline))
    }

    #[inline]
    fn healthy(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        let held = self.held(locking)?;
        match self.head().died.load(Relaxed) {
            1 if held.is_some() => Err(Error::OwnerDied),
            _ => Ok(held),
        }
    }

    /// Waits for the lock, and has repaired what a dead holder left. If this one is
    /// killed in the repair, the next one has to repair again.
    pub fn lock_or_repair(&self, repair: impl FnOnce()) -> Result<Held<'_>, Error> {
        let held = always(self.held(self.head().mutex.lock())?);
        if self.head().died.load(Relaxed) == 1 {
            repair();
            self.head().died.store(0, Relaxed);
        }
        Ok(held)
    }

    #[inline]
    fn held(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        match locking {
            Locking::Locked => (),
            Locking::OwnerDied => self.head().died.store(1, Relaxed),
            Locking::Held => return Ok(None),
            Locking::AlreadyHeld => return Err(Error::AlreadyHeld),
            Locking::Failed(error) => return Err(error).trying_to("acquire a lock"),
        }
        self.held.store(self.held.load(Relaxed) + 1, Relaxed);
        Ok(Some(Held { block: self, not_send: PhantomData }))
    }
}

/// Who waits without a limit has the lock in the end.
#[inline]
fn always(held: Option<Held>) -> Held {
    held.unwrap_or_else(|| unreachable!("it was waited for"))
}

impl Held<'_> {
    /// Unlocks, does something, and locks again, as often as it was locked. After an
    /// error it is not locked: it must not be dropped.
    pub fn unlocked(&self, work: impl FnOnce()) -> Result<(), Error> {
        let times = self.block.held.swap(0, Relaxed);
        (0..times).for_each(|_| self.block.head().mutex.unlock());
        work();
        let again: Result<Vec<Held>, Error> = (0..times).map(|_| self.block.lock()).collect();
        again?.into_iter().for_each(mem::forget);
        Ok(())
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        // As the standard library's lock is poisoned.
        if thread::panicking() {
            self.block.head().died.store(1, Relaxed);
        }
        self.block.held.store(self.block.held.load(Relaxed) - 1, Relaxed);
        self.block.head().mutex.unlock();
    }
}

impl Drop for Block {
    /// A guard that was forgotten holds the lock for as long as its thread lives, and
    /// the thread's list of locks points into the memory: then it stays mapped.
    fn drop(&mut self) {
        if self.held.load(Relaxed) == 0 {
            // SAFETY: it is not used again.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
    }
}

impl TryFrom<Memory> for Block {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, Self::Error> {
        match memory.len() < size_of::<Head>() {
            true => Err(because("shared memory without a lock in it".into())),
            false => Ok(Self::of(memory)),
        }
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.memory.serialize(serializer)
    }
}
