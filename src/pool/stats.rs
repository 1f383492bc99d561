//! What a pool tells of itself.

use std::time::Duration;

/// How a pool is doing at one moment: see [`Pool::stats`](crate::Pool::stats).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PoolStats {
    /// The workers that run, also those that are starting or ending.
    pub workers: usize,
    /// How many workers were started in place of others.
    pub restarts: u64,
    /// The tasks that have not begun.
    pub waiting: usize,
    /// The tasks that run.
    pub running: usize,
    /// The tasks that have a result or an error.
    pub done: u64,
    /// How long workers had tasks, added up.
    pub busy: Duration,
}
