//! How long several processes took together.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// When a process began and ended, in nanoseconds of a clock that all processes see.
pub type Span = (u64, u64);

/// When some work begins and ends.
pub fn span(work: impl FnOnce()) -> Span {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock"));
    let begin = now().as_nanos() as u64;
    work();
    (begin, now().as_nanos() as u64)
}

/// From the first beginning to the last end.
pub fn whole(spans: impl IntoIterator<Item = Span>) -> Duration {
    let spans: Vec<Span> = spans.into_iter().collect();
    let begin = spans.iter().map(|span| span.0).min();
    let end = spans.iter().map(|span| span.1).max();
    Duration::from_nanos(end.zip(begin).map_or(0, |(end, begin)| end - begin))
}
