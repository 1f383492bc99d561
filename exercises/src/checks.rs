//! What each exercise is checked for, by chapter.

pub mod chat;
pub mod executor;
pub mod fork;
pub mod manager;
pub mod pipe;
pub mod pool;
pub mod process;
pub mod processes;
pub mod queue;
pub mod shared_memory;
pub mod spawn;
pub mod sync;
