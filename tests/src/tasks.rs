//! Tasks that the tests of pools have in common.

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
