//! Colours, where the terminal has them, and its size.

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

/// How many rows and columns the terminal has, if there is one.
pub fn size() -> Option<(usize, usize)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: this request fills the struct, which lives until the call returns.
    let found = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (found == 0 && size.ws_row > 0).then_some((size.ws_row.into(), size.ws_col.into()))
}
