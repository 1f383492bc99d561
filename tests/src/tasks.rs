//! What the tests of pools have in common: tasks, and a signal to a worker.

use multiprocessing::{Error, Event};
use std::ops::Deref;
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

/// An event that tasks wait for. It is set when this is dropped, at the latest: an executor waits for
/// its tasks, also in a test that has failed.
pub struct Go(Event);

impl Go {
    /// One that is not set.
    pub fn new() -> Result<Self, Error> {
        Event::new().map(Self)
    }
}

impl Deref for Go {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.0
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        self.0.set();
    }
}
