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
    /// How long the waiter lets the other end work before it looks, in nanoseconds.
    pause: AtomicU32,
}

/// The waiter looks this long before it sleeps: twice the usual wait, within these limits.
const LOOK_AT_LEAST: u32 = 2_000;
const LOOK_AT_MOST: u32 = 50_000;

/// Each look takes the position's cache line away from the other end. In a stream of messages, a
/// waiter that looked all the time would do so for each message. So before its first look it
/// pauses: twice as long as the last time if it found several messages then, else half as long.
const PAUSE_AT_LEAST: u32 = 50;
const PAUSE_AT_MOST: u32 = 5_000;

impl Bell {
    /// Waits until one message is `ready` (or there is room for one), but no longer than the
    /// deadline. Returns whether it is. Only the holder of the lock of this end may wait.
    pub fn wait(&self, deadline: Deadline, ready: impl Fn(u32) -> bool) -> bool {
        let start = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= start) {
            return ready(1);
        }
        if self.is_ready_after_pause(start, &ready) {
            return true;
        }
        let ready = || ready(1);
        let usual = self.usual.load(Relaxed);
        let look = (2 * usual).clamp(LOOK_AT_LEAST, LOOK_AT_MOST);
        let is_ready = look_for(&ready, start + Duration::from_nanos(look.into()))
            || self.sleep(deadline, ready);
        let waited = start.elapsed().as_nanos().min(LOOK_AT_MOST.into()) as u32;
        self.usual.store((7 * usual + waited) / 8, Relaxed);
        is_ready
    }

    fn is_ready_after_pause(&self, start: Instant, ready: impl Fn(u32) -> bool) -> bool {
        let pause = self.pause.load(Relaxed).clamp(PAUSE_AT_LEAST, PAUSE_AT_MOST);
        while start.elapsed().as_nanos() < pause.into() {
            hint::spin_loop();
        }
        self.pause.store(if ready(2) { 2 * pause } else { pause / 2 }, Relaxed);
        ready(1)
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

/// How often the waiter looks before it lets others run: for half a microsecond, about.
const LOOKS_ALONE: u32 = 12;

/// Looks without sleeping, because sleeping and waking take longer than most waits of a busy
/// queue. Between later looks it lets others run on this core: one may be the other end.
fn look_for(ready: &impl Fn() -> bool, until: Instant) -> bool {
    for look in 0.. {
        if ready() {
            return true;
        }
        (0..3).for_each(|_| hint::spin_loop());
        if look >= LOOKS_ALONE {
            thread::yield_now();
            if Instant::now() > until {
                return false;
            }
        }
    }
    false
}
