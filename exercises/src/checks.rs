//! What each exercise is checked for, by chapter.

pub mod fork;
pub mod process;
pub mod processes;
pub mod spawn;
