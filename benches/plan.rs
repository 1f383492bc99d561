//! What a run of a benchmark is to do, by its arguments.

use crate::turns::ROUNDS;
use std::env;

/// How much to do.
pub struct Plan {
    /// `cargo test`: everything once, with few messages or tasks.
    pub quick: bool,
    only: Option<String>,
}

impl Plan {
    /// Criterion's rules: `--bench` comes from `cargo bench`, and a word is a part of a label.
    pub fn of_arguments() -> Self {
        let quick = !env::args().any(|argument| argument == "--bench");
        Self { quick, only: env::args().skip(1).find(|argument| !argument.starts_with('-')) }
    }

    /// Whether all lines are measured, so that the tables can be written.
    pub fn is_whole(&self) -> bool {
        self.only.is_none()
    }

    /// Whether a line is measured.
    pub fn wants(&self, label: &str) -> bool {
        self.only.as_ref().is_none_or(|part| label.contains(part))
    }

    /// How often it is each peer's turn.
    pub fn rounds(&self) -> usize {
        if self.quick { 1 } else { ROUNDS }
    }

    /// So many, or a hundredth.
    pub fn some(&self, count: u64) -> u64 {
        if self.quick { (count / 100).max(4) } else { count }
    }
}
