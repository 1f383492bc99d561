//! What each exercise is checked for, by chapter.

pub mod fork;
pub mod pipe;
pub mod queue;
pub mod shared_memory;
pub mod sync;
