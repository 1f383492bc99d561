//! One end of a queue: its lock, its position and its bell.

use super::bell::Bell;
use super::position::Position;
use crate::Error;
use crate::sync::may_hold_another;
use crate::sys::deadline::Deadline;
use crate::sys::mutex::{Locking, RobustMutex};
use std::io;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

// ANCHOR: end
/// The parts are in cache lines of their own: what one end writes often does not slow down what
/// the other reads often. (Processors fetch lines of 64 bytes in pairs.)
#[repr(C)]
pub struct End {
    own: Line<Own>,
    position: Line<AtomicU64>,
    pub bell: Line<Bell>,
}

/// What only this end uses.
#[repr(C)]
struct Own {
    mutex: RobustMutex,
    /// The position of the other end when a holder of the lock last looked. It may lag behind,
    /// never run ahead.
    seen: AtomicU64,
}
// ANCHOR_END: end

#[repr(C, align(128))]
pub struct Line<T>(T);

impl<T> Deref for Line<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Unlocks when it is dropped.
pub struct Locked<'a>(&'a RobustMutex);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

impl End {
    /// Makes an end in memory that is all zero.
    ///
    /// # Safety
    ///
    /// At `address` is writable memory of this type's size and alignment, and nothing else uses
    /// it during the call.
    pub unsafe fn make_at(address: NonNull<Self>) -> io::Result<()> {
        // SAFETY: the mutex is the first field. The caller answers for the memory.
        unsafe { RobustMutex::make_at(address.cast().as_ptr(), false) }
    }

    /// Waits for the lock. Returns also whether its last holder died with it.
    pub fn lock(&self, deadline: Deadline) -> Result<(Locked<'_>, bool), Error> {
        may_hold_another()?;
        let mutex = &self.own.mutex;
        match mutex.lock_until(deadline) {
            Locking::Locked => Ok((Locked(mutex), false)),
            Locking::OwnerDied => Ok((Locked(mutex), true)),
            Locking::Held => Err(Error::TimedOut),
            Locking::AlreadyHeld => Err(Error::AlreadyHeld),
            Locking::Failed(number) => Err(Error::refused("lock a queue", number)),
        }
    }

    pub fn position(&self) -> Position {
        Position(self.position.load(SeqCst))
    }

    /// The position, if this end is not closed.
    pub fn open_position(&self) -> Result<Position, Error> {
        let position = self.position();
        if position.is_closed() { Err(Error::Closed) } else { Ok(position) }
    }

    /// Moves the position, unless this end has been closed.
    pub fn advance(&self, from: Position, to: Position) -> Result<(), Error> {
        let moved = self.position.compare_exchange(from.0, to.0, SeqCst, SeqCst);
        moved.map(drop).map_err(|_| Error::Closed)
    }

    pub fn close(&self) {
        self.position.fetch_or(Position::CLOSED, SeqCst);
    }

    /// The position of the other end when the holder of this lock last looked.
    pub fn seen(&self) -> Position {
        Position(self.own.seen.load(Relaxed))
    }

    /// Looks at the position of the other end.
    pub fn see(&self, other: &Self) -> Position {
        let position = other.position();
        self.own.seen.store(position.0, Relaxed);
        position
    }
}
