//! A lock and what it protects, in one block of shared memory.
//!
//! Three words at the head of the block belong to the lock:
//!
//! - `mutex`, a robust mutex of POSIX. While a thread holds it, it stands in a list of that
//!   thread which the kernel walks when the thread ends, however it ends: then the next one
//!   to lock the mutex is told (`EOWNERDEAD`).
//! - `state`: bits 0 to 30 count how often the mutex is held, more than once only in an
//!   `RLock`. Bit 31, `DIED`: a holder died or panicked, and nobody has repaired the data.
//! - `owner`: the process that holds the mutex, or held it last; with `DIED`, the one that
//!   died.
//!
//! Locking locks the mutex, then writes `state`, then `owner`. Unlocking writes `state`,
//! then unlocks the mutex. So both words are written only while the mutex is held, and a
//! kill between any two of these steps is the death of a holder: the next one gets
//! `EOWNERDEAD`, takes the count to be 0 whatever it says, and sets `DIED`. If that one is
//! killed before it has written `DIED`, it dies as a holder, too, and the one after it
//! does the same. `DIED` is cleared after the repair and before the unlock: a killed
//! repair is repaired again.

use crate::Error;
use crate::error::Trying;
use crate::memory::{Kind, Memory};
use crate::sys::deadline::Deadline;
use crate::sys::mutex::{Locking, RobustMutex};
use crate::sys::process_id;
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

// ANCHOR: block
/// What stands at the beginning of the memory. What the lock protects follows.
#[repr(C, align(16))]
struct Head {
    mutex: RobustMutex,
    state: AtomicU32,
    owner: AtomicU32,
}

const DIED: u32 = 1 << 31;

/// An `RLock` is not held more often: the count would reach `DIED`.
const MOST: u32 = DIED - 1;

#[derive(Clone)]
pub struct Block(Memory);
// ANCHOR_END: block

/// A process id has at most 22 bits (pid_max in proc_sys_kernel(5)).
const IN_PANIC: u32 = 1 << 31;

/// The head and small data share one cache line; larger data begins after it.
const LINE: usize = 64;

/// The kernel walks no further along the list of a thread that ends
/// (`ROBUST_LIST_LIMIT`): the locks behind would stay held for ever.
const MOST_OF_A_THREAD: u32 = 2048;

thread_local! {
    /// How many locks this thread holds. (A forked child counts those of its parent, too.)
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// The block is locked by this thread. Dropping it unlocks.
#[derive(Debug)]
pub struct Held<'a> {
    block: &'a Block,
    /// The process that locked it: a forked child has a copy of this, and holds nothing.
    /// With `IN_PANIC`: a destructor locked it during a panic, which says nothing about the
    /// data. (One number, because copying a guard of two small fields costs 15 ns.)
    process: u32,
    /// A mutex belongs to the thread that locked it.
    not_send: PhantomData<*const ()>,
}

impl Block {
    /// Room for so many bytes, which are zeroes.
    pub fn new(kind: Kind, bytes: usize) -> Result<Self, Error> {
        let small = bytes <= LINE - size_of::<Head>();
        let start = if small { size_of::<Head>() } else { LINE };
        let memory = Memory::new(kind, bytes.saturating_add(start))?;
        let recursive = matches!(kind, Kind::RLock);
        // SAFETY: the memory begins with room for the head, and nobody else has it yet.
        unsafe { RobustMutex::make_at(memory.area.start.cast().as_ptr(), recursive) }
            .trying_to("make a lock")?;
        Ok(Self(memory))
    }

    /// A block that another process made, for at least so many bytes.
    pub fn received(memory: Memory, kind: Kind, bytes: usize) -> Result<Self, String> {
        memory.checked(kind, size_of::<Head>() + bytes).map(Self)
    }

    #[inline]
    fn head(&self) -> &Head {
        // SAFETY: `new` made a head there, in this process or in the one that sent the
        // block: no other memory has this name and this length.
        unsafe { self.0.area.start.cast().as_ref() }
    }

    /// What the lock protects: where it begins, aligned to 16, and how many bytes.
    #[inline]
    pub fn data(&self) -> (NonNull<u8>, usize) {
        let length = self.0.area.length;
        let start = if length <= LINE { size_of::<Head>() } else { LINE };
        // SAFETY: the memory is at least as long.
        (unsafe { self.0.area.start.add(start) }, length - start)
    }

    /// Waits for the lock. [`Error::OwnerDied`] if nobody has repaired what a dead
    /// holder left; then the lock is free again.
    #[inline]
    pub fn lock(&self) -> Result<Held<'_>, Error> {
        self.healthy(self.mutex()?.lock_until(None)).map(always)
    }

    pub fn try_lock(&self) -> Result<Option<Held<'_>>, Error> {
        self.healthy(self.mutex()?.try_lock())
    }

    pub fn lock_until(&self, deadline: Deadline) -> Result<Option<Held<'_>>, Error> {
        self.healthy(self.mutex()?.lock_until(deadline))
    }

    /// The mutex, if this thread may hold one more.
    #[inline]
    fn mutex(&self) -> Result<&RobustMutex, Error> {
        match HELD.get() < MOST_OF_A_THREAD {
            true => Ok(&self.head().mutex),
            false => Err(refused("hold more than 2048 locks in one thread", libc::ENOLCK)),
        }
    }

    #[inline]
    fn healthy(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        let held = self.held(locking)?;
        match held.is_some() && self.has_died() {
            true => Err(Error::OwnerDied),
            false => Ok(held),
        }
    }

    /// To be asked while the lock is held.
    #[inline]
    fn has_died(&self) -> bool {
        self.head().state.load(Relaxed) & DIED != 0
    }

    /// Waits for the lock, and calls `repair` if nobody has repaired what a dead holder
    /// left. If it fails, or this process is killed in it, the next one has to repair.
    pub fn lock_or_repair(
        &self,
        deadline: Deadline,
        repair: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Option<Held<'_>>, Error> {
        let held = self.held(self.mutex()?.lock_until(deadline))?;
        if held.is_some() && self.has_died() {
            repair()?;
            let Head { state, owner, .. } = self.head();
            state.store(state.load(Relaxed) & !DIED, Relaxed);
            owner.store(process_id::cached(), Relaxed);
        }
        Ok(held)
    }

    #[inline]
    fn held(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        if !self.count(locking)? {
            return Ok(None);
        }
        let in_panic = if thread::panicking() { IN_PANIC } else { 0 };
        let process = process_id::cached() | in_panic;
        Ok(Some(Held { block: self, process, not_send: PhantomData }))
    }

    /// Writes down that it is held once more. Returns whether it is.
    #[inline]
    fn count(&self, locking: Locking) -> Result<bool, Error> {
        let Head { state, owner, mutex } = self.head();
        let before = match locking {
            Locking::Locked => state.load(Relaxed),
            Locking::OwnerDied => DIED,
            Locking::Held => return Ok(false),
            Locking::AlreadyHeld => return Err(Error::AlreadyHeld),
            Locking::Failed(number) => return Err(refused("acquire a lock", number)),
        };
        match before & !DIED {
            0 => self.enter_list(),
            MOST => {
                mutex.unlock();
                return Err(refused("acquire an RLock so often", libc::EAGAIN));
            }
            _ => (),
        }
        state.store(before + 1, Relaxed);
        if before & DIED == 0 {
            owner.store(process_id::cached(), Relaxed);
        }
        Ok(true)
    }

    /// The list of this thread points into the memory now: it stays mapped, even if the
    /// guard is forgotten and all handles go.
    #[inline]
    fn enter_list(&self) {
        HELD.set(HELD.get() + 1);
        self.0.pin(true);
    }

    #[inline]
    fn leave_list(&self) {
        HELD.set(HELD.get() - 1);
        self.0.pin(false);
    }

    /// Whether somebody holds it. The state alone cannot tell: a holder that was killed
    /// has not changed it, but then the mutex can be locked.
    pub fn is_locked(&self) -> Result<bool, Error> {
        let state = &self.head().state;
        if state.load(Relaxed) & !DIED == 0 {
            return Ok(false);
        }
        Ok(match self.held(self.mutex()?.try_lock())? {
            None => true,
            Some(_held) => state.load(Relaxed) & !DIED > 1, // an RLock that this thread holds
        })
    }
}

#[cold]
fn refused(what: &'static str, number: i32) -> Error {
    Error::refused(what, number)
}

/// Waiting without a limit ends with the lock.
#[inline]
fn always(held: Option<Held>) -> Held {
    held.unwrap_or_else(|| unreachable!("it was waited for"))
}

impl Held<'_> {
    /// A forked child has copies of its parent's guards.
    #[inline]
    fn is_a_copy(&self) -> bool {
        self.process & !IN_PANIC != process_id::cached()
    }

    /// Unlocks, does something, and locks again, as often as it was locked. After
    /// [`Error::OwnerDied`] it is locked; after any other error it is not, and must not
    /// be dropped.
    pub(crate) fn unlocked(&self, work: impl FnOnce()) -> Result<(), Error> {
        if self.is_a_copy() {
            return Err(Error::refused("wait with a guard of another process", libc::EPERM));
        }
        let Head { mutex, state, .. } = self.block.head();
        let before = state.load(Relaxed);
        state.store(before & DIED, Relaxed);
        self.block.leave_list();
        let times = before & !DIED;
        (0..times).for_each(|_| mutex.unlock());
        work();
        let lock = |_| self.block.count(mutex.lock_until(None)).map(drop);
        (0..times).try_for_each(lock)?;
        if self.block.has_died() { Err(Error::OwnerDied) } else { Ok(()) }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_a_copy() {
            return;
        }
        let Head { mutex, state, .. } = self.block.head();
        // As the standard library's mutex is poisoned.
        let died = if thread::panicking() && self.process & IN_PANIC == 0 { DIED } else { 0 };
        let left = state.load(Relaxed) - 1;
        state.store(left | died, Relaxed);
        if left & !DIED == 0 {
            self.block.leave_list();
        }
        mutex.unlock();
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Head { state, owner, .. } = self.head();
        let owner = owner.load(Relaxed);
        match state.load(Relaxed) {
            0 => f.write_str("free"),
            DIED.. => write!(f, "its holder in process {owner} died"),
            _ => write!(f, "held by process {owner}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_held_more_often_than_can_be_counted() -> Result<(), Error> {
        let block = Block::new(Kind::RLock, 0)?;
        let held = block.lock()?;
        block.head().state.store(MOST, Relaxed);
        assert!(block.lock().is_err());
        block.head().state.store(1, Relaxed);
        drop(held);
        drop(block.lock()?);
        Ok(())
    }
}
