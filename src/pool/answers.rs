//! The answers of short tasks, in shared memory.
//!
//! An answer through the channel costs a system call on each side, and wakes the pool. Next to a
//! short task that is much. So the answers of short tasks go into a ring, and the worker calls the
//! pool, by an empty message through the channel, only now and then.
//!
//! | word | written by | what it says |
//! |---|---|---|
//! | `HEAD` | worker | how many words it has put into the ring since it started |
//! | `TAIL` | pool | how many of them the pool has taken |
//! | `CALL_AT` | pool | 0: each answer goes through the channel |
//! | | | n: call the pool after task n, and before waiting for more tasks |
//!
//! In the ring, an answer is a word with its length in bytes (the lower half) and its task's number,
//! and then its bytes, eight to a word. `HEAD` is stored last. If the worker is killed before that,
//! the task has no answer, and the [`Word`](super::word) says that it was running. After that, the
//! answer is there, as one that was sent.
//!
//! The pool looks at the ring when it is called, and otherwise every millisecond. When it finds
//! nothing, it sets `CALL_AT` to 0, and then looks once more. The worker looks at `CALL_AT` once
//! more when it has put an answer. These four steps are `SeqCst`, so at least one of the two sees
//! what the other has done, and no answer stays behind while a long task runs.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Each side writes to cache lines of its own.
const HEAD: usize = 0;
const TAIL: usize = 8;
const CALL_AT: usize = 16;
const RING: usize = 24;

/// The ring's length: 64 KiB.
const LENGTH: usize = 8192;

/// How many words of shared memory this takes.
pub const WORDS: usize = RING + LENGTH;

/// Longer answers, in bytes, go through the channel.
const LONGEST: usize = LENGTH * 8 / 4;

pub struct Answers<'a>(&'a [AtomicU64]);

impl<'a> Answers<'a> {
    pub fn new(words: &'a [AtomicU64]) -> Self {
        Self(words)
    }

    fn slot(&self, place: u64) -> &AtomicU64 {
        &self.0[RING + place as usize % LENGTH]
    }

    /// Puts an answer into the ring. Returns whether it has room.
    pub fn put(&self, task: u32, answer: &[u8]) -> bool {
        let words = 1 + answer.len().div_ceil(8) as u64;
        let (head, tail) = (self.0[HEAD].load(Relaxed), self.0[TAIL].load(Acquire));
        if answer.len() > LONGEST || head - tail + words > LENGTH as u64 {
            return false;
        }
        self.slot(head).store(u64::from(task) << 32 | answer.len() as u64, Relaxed);
        for (place, bytes) in (head + 1..).zip(answer.chunks(8)) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.slot(place).store(u64::from_le_bytes(word), Relaxed);
        }
        self.0[HEAD].store(head + words, SeqCst);
        true
    }

    /// Takes the oldest answer, with the number of its task.
    pub fn take(&self) -> Option<(u32, Vec<u8>)> {
        let (tail, head) = (self.0[TAIL].load(Relaxed), self.0[HEAD].load(SeqCst));
        if tail == head {
            return None;
        }
        let first = self.slot(tail).load(Relaxed);
        let length = (first as u32 as usize).min(LONGEST);
        let end = tail + 1 + length.div_ceil(8) as u64;
        let words = (tail + 1..end).map(|place| self.slot(place).load(Relaxed));
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        words.for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.truncate(length);
        self.0[TAIL].store(end, Release);
        Some(((first >> 32) as u32, bytes))
    }

    pub fn is_empty(&self) -> bool {
        self.0[TAIL].load(Relaxed) == self.0[HEAD].load(Relaxed)
    }

    pub fn call_at(&self) -> u32 {
        self.0[CALL_AT].load(SeqCst) as u32
    }

    pub fn set_call_at(&self, task: u32) {
        self.0[CALL_AT].store(u64::from(task), SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;
    use std::thread;

    fn words() -> Vec<AtomicU64> {
        iter::repeat_with(AtomicU64::default).take(WORDS).collect()
    }

    #[test]
    fn a_full_ring_takes_no_more() {
        let words = words();
        let answers = Answers::new(&words);
        assert!(answers.is_empty() && answers.take().is_none());
        assert!(!answers.put(1, &[0; LONGEST + 1]));
        for task in 1..=3 {
            assert!(answers.put(task, &[task as u8; LONGEST]));
        }
        assert!(!answers.put(4, &[4; LONGEST]), "three lengths take room, too");
        assert_eq!(answers.take(), Some((1, vec![1; LONGEST])));
        assert!(answers.put(5, &[]) && answers.put(u32::MAX, &[5; 9]));
        assert_eq!(answers.take(), Some((2, vec![2; LONGEST])));
        assert_eq!(answers.take(), Some((3, vec![3; LONGEST])));
        assert_eq!(answers.take(), Some((5, vec![])));
        assert_eq!(answers.take(), Some((u32::MAX, vec![5; 9])));
        assert!(answers.is_empty());
    }

    #[test]
    fn answers_arrive_whole_and_in_order() {
        let words = words();
        let answers = Answers::new(&words);
        let bytes = |task: u32| vec![task as u8; task as usize % 300];
        thread::scope(|scope| {
            scope.spawn(|| {
                for task in 0..100_000 {
                    while !answers.put(task, &bytes(task)) {
                        thread::yield_now();
                    }
                }
            });
            for task in 0..100_000 {
                let answer = iter::repeat_with(|| answers.take()).flatten().next();
                assert_eq!(answer, Some((task, bytes(task))));
            }
        });
    }
}
