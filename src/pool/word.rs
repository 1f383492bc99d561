//! What a worker does at this moment, in shared memory.
//!
//! One word for each worker:
//!
//! - bits 0 to 31: the number of the task that the worker runs; 0 means none;
//! - bits 32 to 62: the epoch;
//! - bit 63: `CONDEMNED`, the worker must start no more tasks.
//!
//! The pool sends tasks ahead, and each packet of tasks carries the epoch of its time.
//!
//! | who | changes the word | from | to |
//! |---|---|---|---|
//! | worker | starts task n of a packet of epoch e | e, 0 | e, n |
//! | worker | has answered task n | e, n | e, 0 |
//! | pool | takes back what has not begun | e, n or 0 | e + 1, n or 0 |
//! | pool | condemns the worker because of task n | e, n | e, n, `CONDEMNED` |
//!
//! Each change is one atomic step. Starting and condemning fail if the word has changed meanwhile.
//! So a task is either started or taken back, never both, and is either finished or the reason for a
//! signal. If the worker dies, the word says which task it was running: any other was finished and answered, or
//! had not begun and can run elsewhere.

use super::answers::{self, Answers};
use crate::{Error, RawArray};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

const TASK: u64 = (1 << 32) - 1;
const EPOCH: u64 = 1 << 32;
const CONDEMNED: u64 = 1 << 63;

/// The word; behind it the time at which the task began, in nanoseconds of the monotonic clock; and
/// behind that the worker's answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Word(RawArray<u64>);

impl Word {
    pub fn new() -> Result<Self, Error> {
        RawArray::new(2 + answers::WORDS).map(Self)
    }

    fn word(&self) -> &AtomicU64 {
        &self.0.atomics()[0]
    }

    pub fn answers(&self) -> Answers<'_> {
        Answers::new(&self.0.atomics()[2..])
    }

    // ANCHOR: start
    /// Starts a task, unless it was taken back or the worker is condemned.
    pub fn start(&self, epoch: u32, task: u32) -> bool {
        self.0.atomics()[1].store(now(), Relaxed);
        let (before, after) = (u64::from(epoch) << 32, u64::from(epoch) << 32 | u64::from(task));
        self.word().compare_exchange(before, after, SeqCst, SeqCst).is_ok()
    }
    // ANCHOR_END: start

    // ANCHOR: finish
    /// The worker has answered. Returns whether it may go on.
    pub fn finish(&self) -> bool {
        self.word().fetch_and(!TASK, SeqCst) & CONDEMNED == 0
    }
    // ANCHOR_END: finish

    /// Takes back the tasks that have not begun. Returns the new epoch.
    pub fn take_back(&self) -> u32 {
        let before = self.word().fetch_add(EPOCH, SeqCst) & !CONDEMNED;
        ((before + EPOCH) >> 32) as u32
    }

    /// The task that runs, or that ran when the worker died.
    pub fn task(&self) -> Option<u32> {
        Some((self.word().load(SeqCst) & TASK) as u32).filter(|task| *task > 0)
    }

    /// How long this task has been running.
    pub fn running_for(&self, task: u32) -> Option<Duration> {
        let is_running = self.task() == Some(task);
        // The time is this task's, or that of a later one: too short, never too long.
        let start = self.0.atomics()[1].load(SeqCst);
        is_running.then(|| Duration::from_nanos(now().saturating_sub(start)))
    }

    // ANCHOR: condemn
    /// Condemns the worker if it still runs this task.
    pub fn condemn(&self, task: u32) -> bool {
        let condemn = |word| {
            let is_running = word & TASK == u64::from(task);
            is_running.then_some(word | CONDEMNED)
        };
        self.word().fetch_update(SeqCst, SeqCst, condemn).is_ok()
    }
    // ANCHOR_END: condemn
}

fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to `now`, a local variable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_started_or_taken_back() -> Result<(), Error> {
        let word = Word::new()?;
        assert!(word.start(0, 1) && word.task() == Some(1));
        assert_eq!(word.take_back(), 1);
        assert!(word.finish() && word.task().is_none());
        assert!(!word.start(0, 2) && word.start(1, 2));
        assert!(!word.condemn(1) && word.condemn(2));
        assert!(!word.finish() && !word.start(1, 3));
        Ok(())
    }
}
