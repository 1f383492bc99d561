//! Waiting for the other end of a queue.
//!
//! `asleep` is 1 if the one waiter of this bell sleeps or is about to, and 0 if not. The waiter
//! writes 1, looks once more, and sleeps while the word is 1. Whoever has changed something
//! reads the word, and if it is 1, sets it to 0 and wakes the waiter in one system call. Each
//! writes before it reads, in one order for all (`SeqCst`), so one of them sees the other.
//!
//! A waiter that is killed leaves a 1, which costs one needless call. One that changes something
//! and is killed before it rings would leave the waiter asleep. So the waiter looks again after
//! a second.

use crate::sys::deadline::{Deadline, look_again};
use crate::sys::futex::{self, Operation};
use std::hint;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug)]
#[repr(C)]
pub struct Bell {
    asleep: AtomicU32,
    /// How long the last waits took on average, in nanoseconds. Only the waiter uses it.
    usual: AtomicU32,
}

/// The waiter looks this long before it sleeps: twice the usual wait, within these limits.
const LOOK_AT_LEAST: u32 = 2_000;
const LOOK_AT_MOST: u32 = 50_000;

impl Bell {
    /// Waits until `ready`, but no longer than the deadline. Returns whether it is ready. Only
    /// the holder of the lock of this end may wait.
    pub fn wait(&self, deadline: Deadline, ready: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= start) {
            return ready();
        }
        let usual = self.usual.load(Relaxed);
        let look = (2 * usual).clamp(LOOK_AT_LEAST, LOOK_AT_MOST);
        let is_ready = look_for(&ready, start + Duration::from_nanos(look.into()))
            || self.sleep(deadline, ready);
        let waited = start.elapsed().as_nanos().min(LOOK_AT_MOST.into()) as u32;
        self.usual.store((7 * usual + waited) / 8, Relaxed);
        is_ready
    }

    fn sleep(&self, deadline: Deadline, ready: impl Fn() -> bool) -> bool {
        loop {
            let until = look_again(deadline);
            self.asleep.store(1, SeqCst);
            let is_ready = ready();
            if is_ready || !futex::wait(&self.asleep, 1, Some(until)) && Some(until) == deadline {
                self.asleep.store(0, Relaxed);
                return is_ready || ready();
            }
        }
    }

    /// Wakes the waiter. Call it after the change that the waiter waits for.
    #[inline]
    pub fn ring(&self) {
        if self.asleep.load(SeqCst) != 0 {
            futex::change_and_wake_all(&self.asleep, Operation::Set(0));
        }
    }
}

/// Looks without sleeping, because sleeping and waking take longer than most waits of a busy
/// queue. Between looks it lets others run on this core, one of which may be the other end.
fn look_for(ready: &impl Fn() -> bool, until: Instant) -> bool {
    for look in 0.. {
        if ready() {
            return true;
        }
        (0..10).for_each(|_| hint::spin_loop());
        if look >= 3 {
            thread::yield_now();
            if Instant::now() > until {
                return false;
            }
        }
    }
    false
}
