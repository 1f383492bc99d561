//! Locks and signals in shared memory, for processes of every start method.
//!
//! A process that is killed, at any instant, leaves nobody waiting for ever, for two
//! reasons. What others wait for is either one number that changes in one step, or is under
//! a lock that tells when its holder has died. And a wake-up never goes to a single process;
//! for locks, where the system itself does that, each waiter looks again after a second.

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

pub(crate) use block::{Block, Held, always, holds_locks, may_hold_another};

/// Makes a handle from the memory as which it arrives.
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
