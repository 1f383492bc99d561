//! A lock and what it protects, in one block of shared memory.
//!
//! The head of the block belongs to the lock:
//!
//! - `mutex` is a robust mutex of POSIX. While a thread holds it, it is in a list of that
//!   thread. The kernel walks the list when the thread ends, however it ends, and the next
//!   thread to lock the mutex is told (`EOWNERDEAD`).
//! - `state`: bits 0 to 30 count how often the mutex is held, more than once only in an
//!   `RLock`. Bit 31 is `DIED`: a holder died or panicked, and nobody has repaired the data.
//! - `owner` is the process that holds the mutex or held it last; with `DIED`, the process
//!   that died.
//!
//! Locking locks the mutex, then writes `state`, then `owner`. Unlocking writes `state`,
//! then unlocks the mutex. So both words are written only while the mutex is held, and a
//! kill between any two of these steps is the death of a holder. The next holder gets
//! `EOWNERDEAD`, takes the count to be 0 whatever it says, and sets `DIED`. If it is killed
//! before it has written `DIED`, it dies as a holder, too, and the one after it does the
//! same. `DIED` is cleared after the repair and before the unlock, so a killed repair is
//! repeated.

use crate::Error;
use crate::error::Trying;
use crate::memory::{Kind, Memory};
use crate::sys::deadline::Deadline;
use crate::sys::mutex::{Locking, RobustMutex};
use crate::sys::process_id;
use serde::Serialize;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

// ANCHOR: block
/// The beginning of the memory. What the lock protects follows.
#[repr(C, align(16))]
struct Head {
    mutex: RobustMutex,
    state: AtomicU32,
    owner: AtomicU32,
}

const DIED: u32 = 1 << 31;

#[derive(Clone, Serialize)]
pub struct Block(Memory);
// ANCHOR_END: block

/// A process id has at most 22 bits (pid_max in proc_sys_kernel(5)).
const IN_PANIC: u32 = 1 << 31;

/// The head and small data share one cache line; larger data begins after it.
const LINE: usize = 64;

/// When a thread ends, the kernel walks its list no further than this (`ROBUST_LIST_LIMIT`).
/// Locks beyond it would stay held for ever.
const MOST_OF_A_THREAD: u32 = 2048;

thread_local! {
    /// How many guards this thread has. (A forked child counts those of its parent, too.)
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// A block that this thread has locked. Dropping it unlocks.
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
    /// A block that protects this many bytes, all zero.
    pub fn new(kind: Kind, bytes: usize) -> Result<Self, Error> {
        let small = bytes <= LINE - size_of::<Head>();
        let start = if small { size_of::<Head>() } else { LINE };
        let memory = Memory::new(kind, bytes.saturating_add(start))?;
        let recursive = matches!(kind, Kind::RLock);
        // SAFETY: the memory is mapped, begins at a page and has room for a head, which begins
        // with the mutex. No other thread or process has it yet.
        unsafe { RobustMutex::make_at(memory.area.start.cast().as_ptr(), recursive) }
            .trying_to("make a lock")?;
        Ok(Self(memory))
    }

    /// A block that another process made. It protects at least this many bytes.
    pub fn received(memory: Memory, kind: Kind, bytes: usize) -> Result<Self, String> {
        memory.checked(kind, size_of::<Head>() + bytes).map(Self)
    }

    #[inline]
    fn head(&self) -> &Head {
        // SAFETY: `new` made a head there, in this process or in the one that made the block:
        // `received` has checked that the memory is of such a kind and has room for it. It is
        // aligned, because the memory begins at a page, and stays mapped as long as `self`.
        // Its fields change only as atomics or through the mutex.
        unsafe { self.0.area.start.cast().as_ref() }
    }

    /// What the lock protects: its address, aligned to 16, and its length in bytes.
    #[inline]
    pub fn data(&self) -> (NonNull<u8>, usize) {
        let length = self.0.area.length;
        let start = if length <= LINE { size_of::<Head>() } else { LINE };
        // SAFETY: the memory is one mapping of `length` bytes, and at least `start` long: `new` and
        // `received` see to that.
        (unsafe { self.0.area.start.add(start) }, length - start)
    }

    /// Waits for the lock. [`Error::OwnerDied`] if nobody has repaired what a dead holder left;
    /// the lock is then free again.
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

    /// The mutex, if this thread may hold another one.
    #[inline]
    fn mutex(&self) -> Result<&RobustMutex, Error> {
        may_hold_another()?;
        Ok(&self.head().mutex)
    }

    #[inline]
    fn healthy(&self, locking: Locking) -> Result<Option<Held<'_>>, Error> {
        let held = self.held(locking)?;
        match held.is_some() && self.has_died() {
            true => Err(Error::OwnerDied),
            false => Ok(held),
        }
    }

    /// Call it while the lock is held.
    #[inline]
    fn has_died(&self) -> bool {
        self.head().state.load(Relaxed) & DIED != 0
    }

    /// Waits for the lock, and calls `repair` if nobody has repaired what a dead holder left. If
    /// `repair` fails or this process is killed in it, the next holder must repair.
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

    /// Counts the new holder, and returns whether there is one.
    #[inline]
    fn count(&self, locking: Locking) -> Result<bool, Error> {
        let Head { state, owner, .. } = self.head();
        let before = match locking {
            Locking::Locked => state.load(Relaxed),
            Locking::OwnerDied => DIED,
            Locking::Held => return Ok(false),
            Locking::AlreadyHeld => return Err(Error::AlreadyHeld),
            Locking::Failed(number) => return Err(Error::refused("acquire a lock", number)),
        };
        // The list of this thread now points into the memory: it stays mapped, even if the guard
        // is forgotten and all handles are dropped.
        if before & !DIED == 0 {
            self.0.pin(true);
        }
        HELD.set(HELD.get() + 1);
        state.store(before + 1, Relaxed);
        if before & DIED == 0 {
            owner.store(process_id::cached(), Relaxed);
        }
        Ok(true)
    }

    /// Whether a thread holds it. The state alone cannot tell: a holder that was killed has not
    /// changed it. But its mutex can be locked.
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

/// The result of a wait without a limit.
#[inline]
pub fn always<T>(waited_for: Option<T>) -> T {
    waited_for.unwrap_or_else(|| unreachable!("it was waited for"))
}

impl Held<'_> {
    /// A forked child has copies of its parent's guards.
    #[inline]
    fn is_a_copy(&self) -> bool {
        self.process & !IN_PANIC != process_id::cached()
    }

    /// Unlocks, calls `work`, and locks again as often as it was locked. After
    /// [`Error::OwnerDied`] it is locked. After any other error it is not, and must not be
    /// dropped.
    pub(crate) fn unlocked(&self, work: impl FnOnce()) -> Result<(), Error> {
        if self.is_a_copy() {
            return Err(Error::refused("wait with a guard of another process", libc::EPERM));
        }
        let Head { mutex, state, .. } = self.block.head();
        let before = state.load(Relaxed);
        state.store(before & DIED, Relaxed);
        self.block.0.pin(false);
        let times = before & !DIED;
        HELD.set(HELD.get() - times);
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
        // A panic counts as a death, as it poisons a mutex of the standard library.
        let died = if thread::panicking() && self.process & IN_PANIC == 0 { DIED } else { 0 };
        let left = state.load(Relaxed) - 1;
        state.store(left | died, Relaxed);
        HELD.set(HELD.get() - 1);
        if left & !DIED == 0 {
            self.block.0.pin(false);
        }
        mutex.unlock();
    }
}

/// An error if this thread already has as many guards as it may have.
#[inline]
pub fn may_hold_another() -> Result<(), Error> {
    match HELD.get() < MOST_OF_A_THREAD {
        true => Ok(()),
        false => Err(Error::refused("hold more than 2048 locks in one thread", libc::ENOLCK)),
    }
}

/// Whether this thread has a guard, also one that was leaked.
pub fn holds_locks() -> bool {
    HELD.get() > 0
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
