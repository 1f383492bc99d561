//! What the tests of the book stand on: how a program of the book is found,
//! run, and compared with what the book says that it prints; and the map of the
//! book, which is checked as a whole.

pub mod book;
pub mod cast;
pub mod chat;
pub mod child;
pub mod compare;
pub mod even;
pub mod helper;
pub mod program;
pub mod run;
pub mod server;
pub mod stranger;
pub mod tasks;

use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// What a trial of libtest-mimic returns.
pub type Outcome = Result<(), libtest_mimic::Failed>;

/// Functions as trials, each under its own name.
#[macro_export]
macro_rules! trials {
    ($($function:ident),* $(,)?) => {
        vec![$(libtest_mimic::Trial::test(stringify!($function), $function)),*]
    };
}
