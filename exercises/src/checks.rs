//! What each exercise is checked for, by chapter.

pub mod executor;
pub mod fork;
pub mod manager;
pub mod pool;
pub mod process;
pub mod processes;
pub mod spawn;
