//! A lock and what it protects, in one block of shared memory.

use crate::Error;
use crate::error::Trying;
use crate::memory::{Kind, Memory};
use crate::sys::futex::Deadline;
use crate::sys::mutex::{Locking, RobustMutex};
use crate::sys::process_id;
use serde::{Deserialize, Serialize, Serializer};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

// ANCHOR: block
/// What stands at the beginning of the memory. What the lock protects follows.
#[repr(C, align(16))]
struct Head {
    mutex: RobustMutex,
    /// How often it is held: more than once only if it is recursive. With `DIED`: a
    /// holder died or panicked, and nobody has repaired the data since. Changed by the
    /// holder only.
    state: AtomicU32,
    /// The process that holds it, or held it last. Changed by the holder only.
    owner: AtomicU32,
}

const DIED: u32 = 1 << 31;

/// How often it can be held.
const MOST: u32 = DIED - 1;

#[derive(Debug, Deserialize)]
#[serde(try_from = "Memory")]
pub struct Block {
    memory: ManuallyDrop<Memory>,
    /// Whether it was taken through this handle when it was free, and not given back
    /// through it: then the list of the holder points into this mapping, if it is held.
    taken_here: AtomicBool,
}
// ANCHOR_END: block

/// The head and what is small stand in one cache line; what is not begins after it.
const LINE: usize = 64;

/// The block is locked by this thread. Dropping it unlocks.
#[derive(Debug)]
pub struct Held<'a> {
    block: &'a Block,
    /// It was taken by a destructor during a panic, which says nothing of the data.
    in_panic: bool,
    /// A mutex belongs to the thread that locked it.
    not_send: PhantomData<*const ()>,
}

impl Block {
    /// Room for so many bytes, which are zeroes.
    pub fn new(kind: Kind, recursive: bool, bytes: usize) -> Result<Self, Error> {
        // What is small stands in the cache line of the lock, and costs no other.
        let small = bytes <= LINE - size_of::<Head>();
        let start = if small { size_of::<Head>() } else { LINE };
        let memory = Memory::new(kind, bytes.saturating_add(start))?;
        // SAFETY: the memory begins with room for the head, and is still ours alone.
        unsafe { RobustMutex::make_at(memory.start().cast().as_ptr(), recursive) }
            .trying_to("make a lock")?;
        Ok(Self::of(memory))
    }

    pub fn try_clone(&self) -> Result<Self, Error> {
        self.memory.try_clone().map(Self::of)
    }

    /// One that another process made.
    pub fn received(memory: Memory, kind: Kind) -> Result<Self, String> {
        memory.made_for(kind).map(Self::of)
    }

    fn of(memory: Memory) -> Self {
        process_id::watch();
        Self { memory: ManuallyDrop::new(memory), taken_here: AtomicBool::new(false) }
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
        self.healthy(self.head().mutex.lock_until(None)).map(always)
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
        match held.is_some() && self.has_died() {
            true => Err(Error::OwnerDied),
            false => Ok(held),
        }
    }

    /// The lock is held.
    #[inline]
    fn has_died(&self) -> bool {
        self.head().state.load(Relaxed) & DIED != 0
    }

    /// Waits for the lock, and has repaired what a dead holder left. If this one is
    /// killed in the repair, the next one has to repair again.
    pub fn lock_or_repair(&self, repair: impl FnOnce()) -> Result<Held<'_>, Error> {
        self.lock_or_repair_until(None, repair).map(always)
    }

    pub fn lock_or_repair_until(
        &self,
        deadline: Deadline,
        repair: impl FnOnce(),
    ) -> Result<Option<Held<'_>>, Error> {
        let Head { mutex, state, .. } = self.head();
        let held = self.held(mutex.lock_until(deadline))?;
        if held.is_some() && self.has_died() {
            repair();
            state.store(state.load(Relaxed) & !DIED, Relaxed);
        }
        Ok(held)
    }

    #[inline]
    fn held(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        if !self.count(locking)? {
            return Ok(None);
        }
        Ok(Some(Held { block: self, in_panic: thread::panicking(), not_send: PhantomData }))
    }

    /// Writes down that it is held once more; whether it is.
    #[inline]
    fn count(&self, locking: Locking) -> Result<bool, Error> {
        let Head { state, owner, mutex } = self.head();
        let before = match locking {
            Locking::Locked => state.load(Relaxed),
            Locking::OwnerDied => DIED,
            Locking::Held => return Ok(false),
            Locking::AlreadyHeld => return Err(Error::AlreadyHeld),
            Locking::Failed(error) => return Err(error).trying_to("acquire a lock"),
        };
        match before & !DIED {
            0 => self.taken_here.store(true, Relaxed),
            MOST => {
                mutex.unlock();
                return Err(Error::refused("acquire an RLock so often".into(), libc::EAGAIN));
            }
            _ => (),
        }
        state.store(before + 1, Relaxed);
        owner.store(process_id::cached(), Relaxed);
        Ok(true)
    }

    /// Whether a thread of this process holds it. If one does, the answer stays.
    #[inline]
    fn is_held_here(&self) -> bool {
        let Head { state, owner, .. } = self.head();
        state.load(Relaxed) & !DIED != 0 && owner.load(Relaxed) == process_id::cached()
    }
}

/// Who waits without a limit has the lock in the end.
#[inline]
fn always(held: Option<Held>) -> Held {
    held.unwrap_or_else(|| unreachable!("it was waited for"))
}

impl Held<'_> {
    /// Unlocks, does something, and locks again, as often as it was locked. After
    /// [`Error::OwnerDied`] it is locked; after any other error it is not, and must not
    /// be dropped.
    pub(crate) fn unlocked(&self, work: impl FnOnce()) -> Result<(), Error> {
        if !self.block.is_held_here() {
            return Err(Error::refused("wait with a guard of another process".into(), libc::EPERM));
        }
        let Head { mutex, state, .. } = self.block.head();
        let before = state.load(Relaxed);
        state.store(before & DIED, Relaxed);
        let times = before & !DIED;
        (0..times).for_each(|_| mutex.unlock());
        work();
        (0..times).try_for_each(|_| self.block.count(mutex.lock_until(None)).map(drop))?;
        if self.block.has_died() { Err(Error::OwnerDied) } else { Ok(()) }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child has a copy of a guard, and holds nothing.
        if !self.block.is_held_here() {
            return;
        }
        let Head { mutex, state, .. } = self.block.head();
        // As the standard library's lock is poisoned.
        let died = if thread::panicking() && !self.in_panic { DIED } else { 0 };
        let left = state.load(Relaxed) - 1;
        state.store(left | died, Relaxed);
        if left & !DIED == 0 {
            self.block.taken_here.store(false, Relaxed);
        }
        mutex.unlock();
    }
}

impl Drop for Block {
    /// A lock that is held here stands in a list of its thread, which points into the
    /// memory: then it stays mapped, also if the guard was forgotten.
    fn drop(&mut self) {
        let stays = self.taken_here.load(Relaxed) && self.is_held_here();
        // SAFETY: it is not used again.
        let memory = unsafe { ManuallyDrop::take(&mut self.memory) };
        if stays {
            memory.stay_mapped();
        }
    }
}

impl TryFrom<Memory> for Block {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, Self::Error> {
        Self::received(memory, Kind::Lock)
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.memory.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_held_more_often_than_can_be_counted() -> Result<(), Error> {
        let block = Block::new(Kind::Lock, true, 0)?;
        let held = block.lock()?;
        block.head().state.store(MOST, Relaxed);
        assert!(block.lock().is_err());
        block.head().state.store(1, Relaxed);
        drop(held);
        drop(block.lock()?);
        Ok(())
    }
}
