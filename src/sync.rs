//! Locks and signals in shared memory, for processes of every start method.
//!
//! A process that is killed, at any instant, leaves nobody waiting for ever, for two
//! reasons. What others wait for is one number that changes in one step, or it stands under
//! a lock that tells when its holder died. And no wake-up is addressed to one process
//! alone; where the system itself does that, for locks, a waiter looks again after a second.

mod barrier;
mod block;
mod condition;
mod event;
mod lock;
mod semaphore;
mod word;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condition::{Condition, WaitTimeoutResult};
pub use event::Event;
pub use lock::{Guard, Lock, LockGuard, RLock};
pub use semaphore::{BoundedSemaphore, Permit, Semaphore};

pub(crate) use block::{Block, Held};

/// How a handle is made of the memory that it arrives as.
macro_rules! made_of_memory {
    ($handle:ident, $received:expr) => {
        impl TryFrom<crate::memory::Memory> for $handle {
            type Error = String;

            fn try_from(memory: crate::memory::Memory) -> Result<Self, String> {
                $received(memory).map(Self)
            }
        }
    };
}
use made_of_memory;
