//! A place where processes wait for each other.

use super::block::{Block, Held};
use crate::Error;
use crate::memory::{Kind, Memory};
use crate::sys::futex::{self, Change, Deadline, deadline};
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::Duration;

/// Nobody goes on before all have come: Python's `Barrier`.
///
/// One of them that is killed *before* it came never comes, and the others would
/// wait for ever: so wait with a time-out. Whose time is over breaks the barrier, for
/// all of them, until [`reset`](Barrier::reset). One that is killed while it waits
/// has come, and counts.
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
///     let child = Process::spawn(|b: Barrier| b.wait().is_ok(), barrier.try_clone()?)?;
///     barrier.wait_timeout(Duration::from_secs(10))?;
///     assert!(child.join()?);
///     Ok(())
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "Memory")]
pub struct Barrier(Block);

impl TryFrom<Memory> for Barrier {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, String> {
        Block::received(memory, Kind::Barrier).map(Self)
    }
}

/// Changed under the lock only. `round` is waited for, too.
#[repr(C)]
struct State {
    parties: AtomicU32,
    /// How many have come in this round.
    come: AtomicU32,
    /// 1: nobody may pass.
    broken: AtomicU32,
    /// A bit for each of the last 32 rounds: 1 if it ended before all had come.
    failed: AtomicU32,
    /// The number of the round: who waits, waits for its change.
    round: AtomicU32,
}

impl Barrier {
    /// For so many. With 0 or 1, nobody waits.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(parties: u32) -> Result<Self, Error> {
        let barrier = Self(Block::new(Kind::Barrier, false, size_of::<State>())?);
        barrier.state().parties.store(parties, Relaxed);
        Ok(barrier)
    }

    /// Another handle of the same barrier, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    fn state(&self) -> &State {
        let (start, _) = self.0.data();
        // SAFETY: it has room for the state, which is made of atomics.
        unsafe { start.cast().as_ref() }
    }

    /// Waits until all have come. Returns the how manieth this one was to come, from
    /// 0: so one of them can be chosen for something.
    ///
    /// # Errors
    ///
    /// [`Error::BrokenBarrier`] if it is broken, or breaks before all have come.
    pub fn wait(&self) -> Result<u32, Error> {
        self.wait_until(None)
    }

    /// The same, but if not all have come within `timeout`, by the monotonic clock,
    /// the barrier is broken.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Barrier::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<u32, Error> {
        self.wait_until(deadline(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> Result<u32, Error> {
        let state = self.state();
        let held = self.lock_until(deadline)?;
        if state.broken.load(Relaxed) == 1 {
            return Err(Error::BrokenBarrier);
        }
        let (place, round) = (state.come.load(Relaxed), state.round.load(Relaxed));
        if place + 1 >= state.parties.load(Relaxed) {
            self.next_round(false);
            return Ok(place);
        }
        state.come.store(place + 1, Relaxed);
        drop(held);
        while state.round.load(Acquire) == round {
            if !futex::wait(&state.round, round, deadline) {
                self.break_round(round)?;
            }
        }
        match self.has_failed(round) {
            false => Ok(place),
            true => Err(Error::BrokenBarrier),
        }
    }

    /// Whether a round that has ended had to be given up. Of one that ended long ago,
    /// nothing is known: its waiter was stopped meanwhile.
    fn has_failed(&self, round: u32) -> bool {
        let state = self.state();
        let ago = state.round.load(Relaxed).wrapping_sub(round);
        ago >= u32::BITS || state.failed.load(Relaxed) & bit(round) != 0
    }

    /// The lock is held. All is prepared before the one step that others can see.
    fn next_round(&self, failed: bool) {
        let state = self.state();
        let round = state.round.load(Relaxed);
        let others = state.failed.load(Relaxed) & !bit(round);
        state.failed.store(others | if failed { bit(round) } else { 0 }, Relaxed);
        state.come.store(0, Relaxed);
        futex::change_and_wake_all(&state.round, Change::Add(1));
    }

    fn break_now(&self) {
        self.state().broken.store(1, Relaxed);
        self.next_round(true);
    }

    /// Time is over. Unless it is another round by now.
    fn break_round(&self, round: u32) -> Result<(), Error> {
        let _held = self.lock_until(deadline(MOMENT))?;
        if self.state().round.load(Relaxed) == round {
            self.break_now();
        }
        Ok(())
    }

    /// Breaks the barrier if somebody died in the middle.
    fn lock(&self) -> Result<Held<'_>, Error> {
        self.lock_until(None)
    }

    /// The same, but not for ever: a process may be stopped while it has the lock.
    fn lock_until(&self, deadline: Deadline) -> Result<Held<'_>, Error> {
        let held = self.0.lock_or_repair_until(deadline, || self.break_now())?;
        held.ok_or(Error::BrokenBarrier)
    }

    /// Breaks the barrier: all who wait, and all who come, get an error.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system fails.
    pub fn abort(&self) -> Result<(), Error> {
        let _held = self.lock()?;
        self.break_now();
        Ok(())
    }

    /// Mends it, for a new round. Those who wait at this moment get an error.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system fails.
    pub fn reset(&self) -> Result<(), Error> {
        let _held = self.lock()?;
        self.state().broken.store(0, Relaxed);
        self.next_round(true);
        Ok(())
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.state().broken.load(Acquire) == 1
    }
}

/// The lock is held for less, unless its holder is stopped.
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
        barrier.reset()?; // round 0 is given up
        (0..40).for_each(|_| barrier.next_round(false));
        assert!(barrier.has_failed(0) && barrier.has_failed(8));
        assert!(!barrier.has_failed(10) && !barrier.has_failed(40));
        Ok(())
    }
}
