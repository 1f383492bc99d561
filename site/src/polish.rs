//! Mends what mdBook's own page leaves wrong (mdBook 0.5.4). Each mend must find
//! its place in every page: once mdBook has mended its template, the build says
//! so, and the mend can go.

use crate::Result;
use crate::build::Faults;
use crate::chapters::FENCES;
use crate::site::Site;
use std::fs;
use std::path::Path;

const MENDS: &[(&str, &str)] = &[
    // A label may carry neither aria-label nor aria-expanded, and no key reaches
    // it: a button, which site/theme/pages.js ties to the check box.
    (
        "<label id=\"mdbook-sidebar-toggle\" ",
        "<button type=\"button\" id=\"mdbook-sidebar-toggle\" ",
    ),
    (" for=\"mdbook-sidebar-toggle-anchor\"", ""),
    (
        "</label>\n                        <button id=\"mdbook-theme-toggle\"",
        "</button>\n                        <button id=\"mdbook-theme-toggle\"",
    ),
    // Without a script that button does nothing; the contents have a page.
    (
        "<div class=\"left-buttons\">",
        "<div class=\"left-buttons\"><noscript><a href=\"toc.html\">Contents</a></noscript>",
    ),
    // The first thing that the Tab key reaches leads past the bar and the contents.
    (
        "<div id=\"mdbook-help-container\">",
        "<a class=\"skip\" href=\"#mdbook-text\">Skip to the text</a>\n    <div id=\"mdbook-help-container\">",
    ),
    ("<main>", "<main id=\"mdbook-text\" tabindex=\"-1\">"),
    // The bar stood in no landmark.
    ("<div id=\"mdbook-menu-bar\" ", "<div id=\"mdbook-menu-bar\" role=\"banner\" "),
    // This pointed at an id that does not exist.
    (
        "aria-describedby=\"searchresults-header\"",
        "aria-describedby=\"mdbook-searchresults-header\" aria-label=\"Search\"",
    ),
];

/// Mends every page of `folder`, and puts the book's own 404 page there, which
/// loads nothing: a server shows it at any depth.
pub fn polish(folder: &Path, site: &Site) -> Result<Faults> {
    let mut faults = Faults::new();
    let not_found = include_str!("../theme/404.html").replace("{{site-url}}", &site.folder);
    fs::write(folder.join("404.html"), not_found)?;
    if let Some(map) = site.map() {
        fs::write(folder.join("sitemap.xml"), map)?;
    }
    name_contents(&folder.join("toc.html"), site)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("searchindex") {
            fs::write(&path, without_keywords(&fs::read_to_string(&path)?, "", ""))?;
        }
        if name.ends_with(".html") && name != "toc.html" && name != "404.html" {
            let (html, missing) = mend(fs::read_to_string(&path)?);
            let html = without_keywords(&html, "<p class=\"keywords\">", "</p>\n");
            let missing = missing.iter().map(|old| format!("{name}: mdBook no longer has `{old}`"));
            faults.extend(missing);
            fs::write(&path, site.finish(&name, &break_calls(&html)))?;
        }
    }
    Ok(faults)
}

/// Without a script, the contents are a page: it needs a name.
fn name_contents(toc: &Path, site: &Site) -> Result<()> {
    let name = format!("<title>Contents - {}</title>", site.title);
    let head = format!("<head>\n{name}\n<link rel=\"icon\" href=\"data:,\">");
    Ok(fs::write(toc, fs::read_to_string(toc)?.replacen("<head>", &head, 1))?)
}

/// The search has the words in its index by now; a reader does not see them.
fn without_keywords(text: &str, before: &str, after: &str) -> String {
    let (start, end) = (format!("{before}{}", FENCES.0), format!("{}{after}", FENCES.1));
    let mut parts = text.split(&start);
    let first = parts.next().unwrap_or("").to_string();
    parts.fold(first, |out, part| out + part.split_once(&end).map_or(part, |(_, rest)| rest))
}

/// In a cell of a table, a call that is too long for a phone may break after a
/// part of its name, rather than anywhere.
fn break_calls(html: &str) -> String {
    let mut cells = html.split("<td");
    let mut out = cells.next().unwrap_or("").to_string();
    for cell in cells {
        let (cell, rest) = cell.split_once("</td>").unwrap_or(("", cell));
        let mut calls = cell.split("<code>");
        out += &format!("<td{}", calls.next().unwrap_or(""));
        for call in calls {
            let (call, text) = call.split_once("</code>").unwrap_or((call, ""));
            let call: String = call.split_inclusive(' ').map(breakable).collect();
            out += &format!("<code>{call}</code>{text}");
        }
        out += &format!("</td>{rest}");
    }
    out
}

fn breakable(word: &str) -> String {
    let marks = ["::", "_", "=", "("].iter().filter(|_| word.len() > 12);
    let word = marks.fold(word.to_string(), |w, mark| w.replace(mark, &format!("{mark}<wbr>")));
    word.replace("(<wbr>)", "()")
}

fn mend(mut html: String) -> (String, Vec<&'static str>) {
    let mut missing = Vec::new();
    for (old, new) in MENDS {
        if !html.contains(old) {
            missing.push(*old);
        }
        html = html.replace(old, new);
    }
    (html, missing)
}
