//! What the tests of pools have in common: tasks, and a signal to a worker.

use std::thread;

/// The square of a number.
pub fn square(number: u64) -> u64 {
    number * number
}

/// Returns an even number.
pub fn panics_if_odd(number: u32) -> u32 {
    assert!(number.is_multiple_of(2), "{number} is odd");
    number
}

/// Never ends.
pub fn park(_: u32) {
    loop {
        thread::park();
    }
}

/// Sends a signal to a worker.
pub fn send(pid: u32, signal: i32) {
    // SAFETY: it takes two numbers. A worker that runs is not reaped.
    assert_eq!(unsafe { libc::kill(pid as i32, signal) }, 0);
}
