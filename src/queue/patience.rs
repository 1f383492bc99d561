//! How long a call of a queue waits.

use crate::sys::deadline::{Deadline, deadline};
use std::time::{Duration, Instant};

/// How long `try_put` and `try_get` wait for another process to finish its call.
const MOMENT: Duration = Duration::from_millis(1);

/// How long to wait for the lock of this end, and for the other end.
#[derive(Clone, Copy)]
pub struct Patience {
    pub lock: Deadline,
    pub other_end: Deadline,
}

impl Patience {
    pub const FOREVER: Self = Self { lock: None, other_end: None };

    pub fn timeout(timeout: Duration) -> Self {
        let deadline = deadline(timeout);
        Self { lock: deadline, other_end: deadline }
    }

    pub fn none() -> Self {
        Self { lock: deadline(MOMENT), other_end: Some(Instant::now()) }
    }
}
