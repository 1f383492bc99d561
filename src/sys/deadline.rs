//! A moment up to which to wait, by the monotonic clock.

use std::time::{Duration, Instant};

/// `None` is never.
pub type Deadline = Option<Instant>;

/// A time that the clock cannot hold is for ever.
pub fn deadline(timeout: Duration) -> Deadline {
    Instant::now().checked_add(timeout)
}

/// How long it is until then; `None` is for ever.
pub fn time_left(deadline: Deadline) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}
