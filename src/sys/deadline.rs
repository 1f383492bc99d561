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

/// How long a process waits before it looks again. Another one may be killed before it wakes this
/// one up.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// When to look again: after a second, or at the deadline if that is earlier.
pub fn look_again(deadline: Deadline) -> Instant {
    let then = Instant::now() + LOOK_AGAIN;
    deadline.map_or(then, |deadline| deadline.min(then))
}
