//! What is done to the text of each chapter, after its includes and before
//! mdBook makes a page of it.

use crate::Result;
use mdbook_driver::book::{Book, BookItem};
use mdbook_driver::errors::{self, Error};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// mdBook calls it with the whole book.
pub struct Chapters {
    /// Of a chapter's key: words to find a section by, by its heading.
    keywords: BTreeMap<String, BTreeMap<String, String>>,
}

impl Chapters {
    /// With the words of `site/keywords.toml`, if the book has such a file.
    pub fn new(root: &Path) -> Result<Self> {
        let file = root.join("site/keywords.toml");
        let text = if file.is_file() { fs::read_to_string(file)? } else { String::new() };
        Ok(Self { keywords: toml::from_str(&text)? })
    }
}

impl Preprocessor for Chapters {
    fn name(&self) -> &str {
        "chapters"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> errors::Result<Book> {
        let mut lost = Vec::new();
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item {
                chapter.content = name_pairs(&dedent(&chapter.content));
                let key = chapter.path.as_ref().and_then(|path| path.file_stem()?.to_str());
                for (heading, words) in self.keywords.get(key.unwrap_or("")).into_iter().flatten() {
                    match with_keywords(&chapter.content, heading, words) {
                        Some(content) => chapter.content = content,
                        None => {
                            lost.push(format!("site/keywords.toml: {}: {heading}", chapter.name))
                        }
                    }
                }
            }
        });
        match lost.is_empty() {
            true => Ok(book),
            false => Err(Error::msg(format!("no such heading: {}", lost.join(", ")))),
        }
    }
}

/// What the keywords begin and end with, until the search has them: invisible.
pub const FENCES: (char, char) = ('\u{2063}', '\u{2062}');

/// Puts the words below the heading.
fn with_keywords(text: &str, heading: &str, words: &str) -> Option<String> {
    // Behind a heading may stand an id of its own: `{#id}`.
    let is_it = |line: &&str| {
        let title = line.split(" {#").next().unwrap_or(line);
        title.starts_with('#') && title.trim_start_matches('#').trim() == heading
    };
    let line = text.lines().find(is_it)?;
    let (start, end) = FENCES;
    let hidden = format!("{line}\n\n<p class=\"keywords\">{start} {words} {end}</p>\n");
    Some(text.replacen(line, &hidden, 1))
}

/// Takes the common indentation out of code blocks: an include from the middle
/// of a function brings it along.
fn dedent(text: &str) -> String {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push(line);
        if line.starts_with("```rust") || line.starts_with("```python") {
            let block: Vec<_> = lines.by_ref().take_while(|l| !l.starts_with("```")).collect();
            let full = block.iter().filter(|l| !l.trim().is_empty());
            let indent = full.map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
            out.extend(block.iter().map(|l| l.get(indent..).unwrap_or("")));
            out.push("```");
        }
    }
    out.join("\n") + "\n"
}

const PAIR: &str = "<div class=\"pair\">\n<input type=\"radio\" name=\"";

/// Two twins are a group with a name, for those who do not see them as one; and
/// their labels break after a part of the file's name.
fn name_pairs(text: &str) -> String {
    let mut parts = text.split(PAIR);
    let mut out = parts.next().unwrap_or("").to_string();
    for part in parts {
        let name = part.split('"').next().unwrap_or("");
        let (labels, rest) = part.split_once("\n\n").unwrap_or((part, ""));
        let group = format!("role=\"group\" aria-label=\"{name}: Python and Rust\"");
        let labels: Vec<_> = labels.lines().map(breakable).collect();
        out += &PAIR.replacen('>', &format!(" {group}>"), 1);
        out += &format!("{}\n\n{rest}", labels.join("\n"));
    }
    out
}

/// Lets `…>examples/fork_wait.py</label>` break after `/` and `_`.
fn breakable(line: &str) -> String {
    let Some((tags, name)) = line.strip_suffix("</label>").and_then(|line| line.rsplit_once('>'))
    else {
        return line.to_string();
    };
    format!("{tags}>{}</label>", name.replace('/', "/<wbr>").replace('_', "_<wbr>"))
}
