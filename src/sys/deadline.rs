//! The moment at which a wait ends, by the monotonic clock.

use std::time::{Duration, Instant};

/// `None` means never.
pub type Deadline = Option<Instant>;

/// The moment after this time; never, if it is too long for the clock.
pub fn deadline(timeout: Duration) -> Deadline {
    Instant::now().checked_add(timeout)
}

/// The time that is left; `None` if the deadline is never.
pub fn time_left(deadline: Deadline) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}
