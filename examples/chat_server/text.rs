//! What a client sends, made safe for the others to read.

use std::io::{self, BufRead, Read};

/// The longest line, in bytes.
pub const LINE: usize = 1000;

// ANCHOR: read_line
/// The next line. `None` at the end; an error if the line is
/// too long, as its end may never come.
pub fn read_line(
    reader: &mut impl BufRead,
) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let most = LINE as u64 + 1; // with the line's end
    reader.take(most).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(clean(&line))),
        Some(_) if line.len() > LINE => {
            Err(io::Error::other("the line is too long"))
        }
        Some(_) => Ok(Some(clean(&line))), // the last one
    }
}
// ANCHOR_END: read_line

/// What is no UTF-8 is marked, and no control character
/// reaches another client's terminal.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.trim_ascii_end());
    text.replace(char::is_control, "\u{fffd}")
}
