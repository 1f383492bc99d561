//! Locks and signals in shared memory, for processes of every start method.
//!
//! Two things hold for all of them. A process that is killed, at any instant, leaves
//! nobody waiting for ever: no wake-up is addressed to one process alone, or, for locks,
//! who waits looks again after a second. And what
//! others may wait for is one number, changed in one step, or stands under a lock
//! that tells when its holder died.

mod barrier;
mod block;
mod condition;
mod event;
mod lock;
mod semaphore;
mod words;

pub use barrier::Barrier;
pub use condition::Condition;
pub use event::Event;
pub use lock::{Guard, Lock, LockGuard, Mutex, RLock};
pub use semaphore::{BoundedPermit, BoundedSemaphore, Permit, Semaphore};

pub(crate) use block::{Block, Held};
