//! Mends what mdBook's own page leaves wrong (mdBook 0.5.4). Each mend must find
//! its place in every page: once mdBook has mended its template, the build says
//! so, and the mend can go.

use crate::Result;
use crate::build::Faults;
use mdbook_driver::book::{Book, BookItem};
use mdbook_driver::errors;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::fs;
use std::path::Path;

/// Takes the common indentation out of code blocks: an include from the middle
/// of a function brings it along. Runs after the includes.
pub struct Dedent;

impl Preprocessor for Dedent {
    fn name(&self) -> &str {
        "dedent"
    }

    fn run(&self, _: &PreprocessorContext, mut book: Book) -> errors::Result<Book> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item {
                chapter.content = dedent(&chapter.content);
            }
        });
        Ok(book)
    }
}

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

const MENDS: &[(&str, &str)] = &[
    // A label may carry neither aria-label nor aria-expanded, and no key reaches
    // it: a button, which site/theme/head.hbs ties to the check box.
    (
        "<label id=\"mdbook-sidebar-toggle\" ",
        "<button type=\"button\" id=\"mdbook-sidebar-toggle\" ",
    ),
    (" for=\"mdbook-sidebar-toggle-anchor\"", ""),
    (
        "</label>\n                        <button id=\"mdbook-theme-toggle\"",
        "</button>\n                        <button id=\"mdbook-theme-toggle\"",
    ),
    // The bar stood in no landmark.
    ("<div id=\"mdbook-menu-bar\" ", "<div id=\"mdbook-menu-bar\" role=\"banner\" "),
    // This pointed at an id that does not exist.
    (
        "aria-describedby=\"searchresults-header\"",
        "aria-describedby=\"mdbook-searchresults-header\" aria-label=\"Search\"",
    ),
];

/// What scrolls must be reachable by keyboard; a page may have none of these.
const CODE: &str = "<pre><code class=\"";
const CODE_BY_KEY: &str = "<pre><code tabindex=\"0\" class=\"";
const TABLE: &str = "<div class=\"table-wrapper\">";
const TABLE_BY_KEY: &str = "<div class=\"table-wrapper\" tabindex=\"0\">";

/// Mends every page of `folder`, and puts the book's own 404 page there, which
/// loads nothing: a server shows it at any depth.
pub fn polish(folder: &Path, site_url: &str) -> Result<Faults> {
    let mut faults = Faults::new();
    let not_found = include_str!("../theme/404.html").replace("{{site-url}}", site_url);
    fs::write(folder.join("404.html"), not_found)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".html") && name != "toc.html" && name != "404.html" {
            let (html, missing) = mend(fs::read_to_string(&path)?);
            let missing = missing.iter().map(|old| format!("{name}: mdBook no longer has `{old}`"));
            faults.extend(missing);
            fs::write(&path, html)?;
        }
    }
    Ok(faults)
}

fn mend(mut html: String) -> (String, Vec<&'static str>) {
    let mut missing = Vec::new();
    for (old, new) in MENDS {
        if !html.contains(old) {
            missing.push(*old);
        }
        html = html.replace(old, new);
    }
    (html.replace(CODE, CODE_BY_KEY).replace(TABLE, TABLE_BY_KEY), missing)
}
