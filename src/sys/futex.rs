//! Waiting on a number in shared memory (futex(2)).

use super::deadline::{Deadline, time_left};
use std::io;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Waits while the word has this value, until [`change_and_wake_all`] or the deadline. It may
/// return early: look at the word again. `false` if the deadline has passed.
pub fn wait(word: &AtomicU32, value: u32, deadline: Deadline) -> bool {
    let left = time_left(deadline);
    if left == Some(Duration::ZERO) {
        return false;
    }
    let left = left.map(|left| libc::timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    // Not FUTEX_WAIT_PRIVATE: other processes wake us.
    // SAFETY: the word and the time live during the call.
    let result = unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT, value, left) };
    result == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ETIMEDOUT)
}

/// What is done to a word.
#[derive(Clone, Copy)]
pub enum Operation {
    Set(u8),
    Add(u8),
}

/// Changes the word and wakes all its waiters, in one step: a process that is killed has
/// done both or neither. Waking only one waiter would be unsafe: it could be killed
/// before it has done anything, while the others sleep on.
pub fn change_and_wake_all(word: &AtomicU32, operation: Operation) {
    let (code, number) = match operation {
        Operation::Set(number) => (libc::FUTEX_OP_SET, number),
        Operation::Add(number) => (libc::FUTEX_OP_ADD, number),
    };
    // The call also compares the old value with 0; nothing here depends on that.
    let operation = code << 28 | i32::from(number) << 12;
    let (all, none) = (i32::MAX, ptr::null::<libc::timespec>());
    // SAFETY: the word lives during the call, which changes it as an atomic.
    unsafe {
        libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE_OP, all, none, word, operation)
    };
}
