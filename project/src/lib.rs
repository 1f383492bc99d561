//! A small project that uses the crate: what its programs share.

// ANCHOR: error
use serde::{Deserialize, Serialize};
use std::fs;
use thiserror::Error;

/// A file that could not be counted.
#[derive(Debug, Error, Serialize, Deserialize)]
#[error("cannot count {file}: {reason}")]
pub struct CountError {
    file: String,
    reason: String,
}

/// How many lines a file has.
pub fn count_lines(file: String) -> Result<usize, CountError> {
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.lines().count()),
        Err(error) => {
            let reason = error.to_string();
            Err(CountError { file, reason })
        }
    }
}
// ANCHOR_END: error

// ANCHOR: test
#[cfg(test)]
mod tests {
    use super::*;
    use multiprocessing::Process;

    multiprocessing::init_before_main!();

    #[test]
    fn a_missing_file_is_an_error() {
        let file = "no/such/file".to_string();
        let child = Process::spawn(count_lines, file);
        let counted = child.and_then(Process::join);
        assert!(matches!(counted, Ok(Err(_))), "{counted:?}");
    }
}
// ANCHOR_END: test
