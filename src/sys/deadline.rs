//! The moment at which a wait ends, by the monotonic clock.

use std::time::{Duration, Instant};

/// `None` is never.
pub type Deadline = Option<Instant>;

/// A timeout too long for the clock never ends.
pub fn deadline(timeout: Duration) -> Deadline {
    Instant::now().checked_add(timeout)
}

/// The time until then; `None` never ends.
pub fn time_left(deadline: Deadline) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
}
