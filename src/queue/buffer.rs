//! A buffer that each thread keeps, so that a value does not cost an allocation.

use super::BYTES;
use std::cell::Cell;

thread_local! {
    /// Where the last value of this thread was encoded, for the next one.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub fn take_buffer() -> Vec<u8> {
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default(); // not at the thread's end
    buffer.clear();
    buffer
}

pub fn keep_buffer(buffer: Vec<u8>) {
    if buffer.capacity() <= BYTES / 16 {
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
}
