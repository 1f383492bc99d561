//! Waiting on a number in shared memory (futex(2)).

use super::deadline::{Deadline, time_left};
use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while the word has this value, until [`change_and_wake_all`] or the deadline. Returns
/// `false` if the deadline has passed. It may return `true` early: look at the word again.
pub fn wait(word: &AtomicU32, value: u32, deadline: Deadline) -> bool {
    let left = time_left(deadline);
    if left == Some(Duration::ZERO) {
        return false;
    }
    let left = left.map(TimeSpec::from);
    let left = left.as_ref().map_or(ptr::null(), |left| ptr::from_ref(left.as_ref()));
    // Not FUTEX_WAIT_PRIVATE: other processes wake this one.
    // SAFETY: `word` is borrowed and `left` is null or a local variable, so both live during the
    // call; the kernel reads the word atomically.
    let result = unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT, value, left) };
    Errno::result(result) != Err(Errno::ETIMEDOUT)
}

/// What is done to a word.
#[derive(Clone, Copy)]
pub enum Operation {
    Set(u8),
    Add(u8),
}

/// Changes the word and wakes all its waiters, in one system call: a process that is killed has
/// done both or neither. Waking a single waiter would not be safe. If it were killed before it
/// acts, the others would sleep on.
pub fn change_and_wake_all(word: &AtomicU32, operation: Operation) {
    let (code, number) = match operation {
        Operation::Set(number) => (libc::FUTEX_OP_SET, number),
        Operation::Add(number) => (libc::FUTEX_OP_ADD, number),
    };
    // The call also compares the old value with 0; nothing here depends on that.
    let operation = code << 28 | i32::from(number) << 12;
    let (all, none) = (i32::MAX, ptr::null::<libc::timespec>());
    // SAFETY: `word` is borrowed, so it lives during the call; the kernel changes it atomically.
    unsafe {
        libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE_OP, all, none, word, operation)
    };
}
