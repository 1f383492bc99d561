//! What an exercise consists of, and the list of all.

use crate::checks;
use crate::see::Program;

/// What a check finds: nothing to complain of, or a sentence to the reader.
pub type Verdict = Result<(), String>;

pub struct Exercise {
    /// Its name, and that of its file.
    pub name: &'static str,
    /// The key of its chapter.
    pub chapter: &'static str,
    /// The heading of the chapter to look at.
    pub look: &'static str,
    /// What it asks, in a line.
    pub goal: &'static str,
    pub hints: &'static [&'static str],
    pub check: fn(&Program) -> Verdict,
    /// The file as it is given.
    pub given: &'static str,
    pub solution: &'static str,
}

/// All exercises, in the order of the book.
pub static EXERCISES: &[&[Exercise]] = &[
    checks::processes::EXERCISES,
    checks::fork::EXERCISES,
    checks::spawn::EXERCISES,
    checks::process::EXERCISES,
    checks::pipe::EXERCISES,
    checks::shared_memory::EXERCISES,
    checks::sync::EXERCISES,
    checks::queue::EXERCISES,
    checks::pool::EXERCISES,
    checks::executor::EXERCISES,
    checks::manager::EXERCISES,
    checks::chat::EXERCISES,
];

/// All exercises in one list.
pub fn all() -> impl Iterator<Item = &'static Exercise> {
    EXERCISES.iter().copied().flatten()
}

/// Makes an exercise of its name, whose files it includes.
#[macro_export]
macro_rules! exercise {
    ($name:literal, $chapter:literal, look: $look:literal, goal: $goal:literal, hints: $hints:expr, $check:expr) => {
        $crate::Exercise {
            name: $name,
            chapter: $chapter,
            look: $look,
            goal: $goal,
            hints: &$hints,
            check: $check,
            given: include_str!(concat!("../../given/", $name, ".rs")),
            solution: include_str!(concat!("../../solutions/", $name, ".rs")),
        }
    };
}
