//! Colours, where the terminal has them.

use std::env;
use std::io::{IsTerminal, stdout};

fn has_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
        && stdout().is_terminal()
}

fn paint(code: u8, text: &str) -> String {
    if has_colours() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

pub fn green(text: &str) -> String {
    paint(32, text)
}

pub fn yellow(text: &str) -> String {
    paint(33, text)
}

pub fn bold(text: &str) -> String {
    paint(1, text)
}

pub fn dim(text: &str) -> String {
    paint(2, text)
}
