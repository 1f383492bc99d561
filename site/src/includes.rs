//! The includes of the chapters. mdBook shows an empty block for an anchor that
//! is not there, and the rest of the file for one that never ends.

use crate::build::Faults;
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use std::fs;
use std::path::{Path, PathBuf};

/// Looks up the file and the anchor of every include.
pub fn check(book: &MDBook) -> Faults {
    let mut faults = Faults::new();
    for item in book.iter() {
        let BookItem::Chapter(chapter) = item else { continue };
        let Some(path) = &chapter.source_path else { continue };
        let path = book.source_dir().join(path);
        for (line, include) in includes(&chapter.content) {
            if let Err(fault) = look_up(&path, include) {
                faults.push(format!("{}:{line}: {fault}", path.display()));
            }
        }
    }
    faults
}

/// The includes of a text with their lines: `(12, "../examples/fork.rs:wait")`.
fn includes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(n, line)| {
        let start = line.find("{{#")?;
        let (name, rest) = line[start + 3..].split_once(' ')?;
        let written_out = line[..start].ends_with('\\');
        let include = rest.split("}}").next().unwrap_or(rest).trim();
        (name.ends_with("include") && !written_out).then_some((n + 1, include))
    })
}

fn look_up(chapter: &Path, include: &str) -> Result<(), String> {
    let (file, anchor) = include.split_once(':').unwrap_or((include, ""));
    let path: PathBuf = chapter.parent().unwrap_or(chapter).join(file);
    let text = fs::read_to_string(path).map_err(|e| format!("include of {file}: {e}"))?;
    if anchor.is_empty() {
        return Ok(());
    }
    if anchor.starts_with(|c: char| c.is_ascii_digit() || c == ':') {
        return Err(format!("include of {include}: lines go stale, name an anchor"));
    }
    for mark in ["ANCHOR: ", "ANCHOR_END: "] {
        let found =
            text.lines().any(|l| l.split_once(mark).is_some_and(|(_, name)| name.trim() == anchor));
        if !found {
            return Err(format!("include of {include}: {file} has no `{mark}{anchor}`"));
        }
    }
    Ok(())
}
