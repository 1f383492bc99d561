//! A point where processes wait for each other.
//!
//! A round lasts until all parties have arrived or the round has failed. These words follow a
//! lock, and all but `parties` change only while it is held:
//!
//! - `parties`: how many must arrive; constant.
//! - `arrived`: how many have arrived in this round, 0 to `parties` - 1.
//! - `broken`: 1 after a timeout, a death or `abort`, until `reset`; otherwise 0.
//! - `failed`: bit r % 32 is 1 if round r ended before all had arrived.
//! - `round`: the number of the round. Waiters sleep while it has the value that they saw.
//!
//! The end of a round writes `broken` (if it breaks), then `failed`, then `arrived` = 0, then
//! `round` + 1, and the last write wakes all waiters in the same system call. A waiter looks at
//! nothing before `round` has changed. So a process that is killed before that write has ended
//! no round. It died as the holder of the lock: the next process to lock it breaks the barrier,
//! which writes all of these words again. A process that is killed after it has arrived counts
//! as arrived.

use super::block::{Block, Held};
use super::made_of_memory;
use crate::Error;
use crate::memory::Kind;
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::futex::{self, Operation};
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

/// No process goes on before all have arrived: Python's `Barrier`.
///
/// A process that is killed *before* it has arrived never arrives, and the others would wait
/// for ever, so wait with a timeout. A wait that times out breaks the barrier for all parties,
/// until [`reset`](Barrier::reset). A process that is killed while it waits counts as arrived.
/// (In Python, the others then hang, even with a timeout.)
///
/// # Example
///
/// ```
/// use multiprocessing::{Barrier, Process};
/// use std::time::Duration;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let barrier = Barrier::new(2)?;
///     let child = Process::spawn(|b: Barrier| b.wait().map(|result| result.is_leader()), barrier.clone())?;
///     let leads = barrier.wait_timeout(Duration::from_secs(10))?.is_leader();
///     assert!(child.join()?? != leads); // one of the two leads
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "crate::memory::Memory")]
pub struct Barrier(Block);

made_of_memory!(Barrier, |memory| Block::received(memory, Kind::Barrier, size_of::<State>()));

#[repr(C)]
struct State {
    parties: AtomicU32,
    arrived: AtomicU32,
    broken: AtomicU32,
    failed: AtomicU32,
    round: AtomicU32,
}

/// What [`Barrier::wait`] returns, as in [`std::sync::BarrierWaitResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: u32,
    leader: bool,
}

impl BarrierWaitResult {
    pub(crate) fn new(index: u32, leader: bool) -> Self {
        Self { index, leader }
    }

    /// Whether this process was the last of its round to arrive. It can do what is to be done
    /// once. (Python calls its `action` before the others go on. For that, let the leader work
    /// between two waits.)
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.leader
    }

    /// How many arrived before this process: Python's `wait` returns a similar number.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }
}

impl Barrier {
    /// A barrier for this many parties. With 0 or 1, nobody waits.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(parties: u32) -> Result<Self, Error> {
        let barrier = Self(Block::new(Kind::Barrier, size_of::<State>())?);
        barrier.state().parties.store(parties, Relaxed);
        Ok(barrier)
    }

    fn state(&self) -> &State {
        let (start, _) = self.0.data();
        // SAFETY: the block was made for a `State`, or checked to be a barrier's with room for one.
        // The address is aligned to 16, and mapped as long as `self`. All fields are atomics.
        unsafe { start.cast().as_ref() }
    }

    /// Waits until all have arrived.
    ///
    /// # Errors
    ///
    /// [`Error::BrokenBarrier`] if it is broken, or breaks before all have arrived.
    pub fn wait(&self) -> Result<BarrierWaitResult, Error> {
        self.wait_until(None)
    }

    /// Waits until all have arrived. If that takes longer than `timeout` (of the monotonic
    /// clock), the barrier breaks.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Barrier::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWaitResult, Error> {
        self.wait_until(deadline(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> Result<BarrierWaitResult, Error> {
        let state = self.state();
        let held = self.lock_until(deadline)?;
        if state.broken.load(Relaxed) == 1 {
            return Err(Error::BrokenBarrier);
        }
        let (index, round) = (state.arrived.load(Relaxed), state.round.load(Relaxed));
        if index + 1 >= self.parties() {
            self.end_round(false);
            return Ok(BarrierWaitResult { index, leader: true });
        }
        state.arrived.store(index + 1, Relaxed);
        drop(held);
        while state.round.load(Acquire) == round {
            if !futex::wait(&state.round, round, deadline) {
                self.break_round(round)?;
            }
        }
        match self.has_failed(round) {
            false => Ok(BarrierWaitResult { index, leader: false }),
            true => Err(Error::BrokenBarrier),
        }
    }

    /// Whether a round that is over ended before all had arrived. For a waiter that was stopped
    /// for 32 rounds, its round counts as failed.
    fn has_failed(&self, round: u32) -> bool {
        let state = self.state();
        let ago = state.round.load(Relaxed).wrapping_sub(round);
        ago >= u32::BITS || state.failed.load(Relaxed) & bit(round) != 0
    }

    /// Call it while the lock is held.
    fn end_round(&self, failed: bool) {
        let state = self.state();
        let round = state.round.load(Relaxed);
        let others = state.failed.load(Relaxed) & !bit(round);
        state.failed.store(others | if failed { bit(round) } else { 0 }, Relaxed);
        state.arrived.store(0, Relaxed);
        futex::change_and_wake_all(&state.round, Operation::Add(1));
    }

    /// Call it while the lock is held.
    fn break_now(&self) {
        self.state().broken.store(1, Relaxed);
        self.end_round(true);
    }

    /// Breaks the barrier after a timeout, unless the next round has begun.
    fn break_round(&self, round: u32) -> Result<(), Error> {
        let _held = self.lock_until(deadline(MOMENT))?;
        if self.state().round.load(Relaxed) == round {
            self.break_now();
        }
        Ok(())
    }

    /// Takes the lock, and breaks the barrier if the last holder died. If the holder is stopped,
    /// this fails at the deadline.
    fn lock_until(&self, deadline: Deadline) -> Result<Held<'_>, Error> {
        let break_now = || {
            self.break_now();
            Ok(())
        };
        self.0.lock_or_repair(deadline, break_now)?.ok_or(Error::BrokenBarrier)
    }

    /// Breaks the barrier: present and later waiters get an error.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system fails.
    pub fn abort(&self) -> Result<(), Error> {
        let _held = self.lock_until(None)?;
        self.break_now();
        Ok(())
    }

    /// Mends the barrier and begins a new round. Present waiters get an error.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system fails.
    pub fn reset(&self) -> Result<(), Error> {
        let _held = self.lock_until(None)?;
        self.state().broken.store(0, Relaxed);
        self.end_round(true);
        Ok(())
    }

    /// Whether it is broken: Python's `broken`.
    pub fn is_broken(&self) -> bool {
        self.state().broken.load(Acquire) == 1
    }

    /// How many must arrive.
    pub fn parties(&self) -> u32 {
        self.state().parties.load(Relaxed)
    }

    /// How many have arrived and are waiting at this moment: Python's `n_waiting`.
    pub fn waiting(&self) -> u32 {
        self.state().arrived.load(Relaxed)
    }
}

/// The lock is never held as long as this, unless its holder is stopped.
const MOMENT: Duration = Duration::from_secs(1);

fn bit(round: u32) -> u32 {
    1 << (round % u32::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_that_is_long_over_counts_as_broken() -> Result<(), Error> {
        let barrier = Barrier::new(2)?;
        barrier.reset()?; // round 0 fails
        (0..40).for_each(|_| barrier.end_round(false));
        assert!(barrier.has_failed(0) && barrier.has_failed(8));
        assert!(!barrier.has_failed(10) && !barrier.has_failed(40));
        Ok(())
    }
}
