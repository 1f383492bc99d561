//! What each exercise is checked for, by chapter.

pub mod fork;
