//! The book as an EPUB, from the same pages that a browser shows.

use crate::Result;
use crate::site::{Heading, Site, between, headings};
use epub_builder::{EpubBuilder, EpubContent, EpubVersion, TocElement, ZipLibrary};
use std::fs;
use std::path::{Path, PathBuf};

const STYLE: &str = include_str!("../theme/epub.css");
const FIGURES: &str = include_str!("../theme/book.css");

/// In a browser a figure takes its colours from the theme in force; a reader's
/// device knows no themes.
const COLOURS: &[(&str, &str)] = &[
    ("var(--links)", "#20609f"),
    ("var(--quote-bg)", "#f1f6f9"),
    ("var(--bg)", "#fff"),
    ("var(--mono-font)", "monospace"),
    ("currentColor", "#000"),
];

/// Writes it beside the folder of the pages.
pub fn write(root: &Path, pages: &Path, site: &Site) -> Result<PathBuf> {
    let mut epub = EpubBuilder::new(ZipLibrary::new()?)?;
    epub.epub_version(EpubVersion::V30).set_title(&site.title);
    epub.add_language("en");
    epub.set_generator("cargo run -- epub");
    epub.set_toc_name("Contents");
    epub.stylesheet(STYLE.as_bytes())?;
    for page in &site.pages {
        let html = fs::read_to_string(pages.join(&page.file))?;
        let main = html.split("<main").nth(1).and_then(|rest| between(rest, ">", "</main>"));
        let (text, figures) = without_figures(main.unwrap_or_default());
        for name in figures {
            let svg = fs::read_to_string(root.join(format!("book/figures/{name}.svg")))?;
            epub.add_resource(format!("{name}.svg"), styled(&svg).as_bytes(), "image/svg+xml")?;
        }
        let content = xhtml(&page.name, &as_xml(&with_new_links(&text, site)));
        let file = page.file.replace(".html", ".xhtml");
        let mut chapter = EpubContent::new(&file, content.as_bytes()).title(&page.name);
        for Heading { id, name, .. } in headings(&html).iter().filter(|h| !h.is_chapter) {
            chapter = chapter.child(TocElement::new(format!("{file}#{id}"), *name));
        }
        epub.add_content(chapter)?;
    }
    let file = pages.with_extension("epub");
    epub.generate(fs::File::create(&file)?)?;
    Ok(file)
}

/// Each figure becomes a file of its own; its name is in the id of its title.
fn without_figures(html: &str) -> (String, Vec<&str>) {
    let mut names = Vec::new();
    let mut parts = html.split("<svg");
    let mut text = parts.next().unwrap_or("").to_string();
    for part in parts {
        let (svg, rest) = part.split_once("</svg>").unwrap_or((part, ""));
        let name = between(svg, "<title id=\"", "-title\"").unwrap_or_default();
        let title = between(svg, "-title\">", "</title>").unwrap_or_default();
        text +=
            &format!("<img src=\"{name}.svg\" alt=\"{}\"/>{rest}", title.replace('"', "&quot;"));
        names.push(name);
    }
    (text, names)
}

/// A figure with the style that book.css gives it, and links within the EPUB.
fn styled(svg: &str) -> String {
    let rules = FIGURES.lines().filter_map(|line| line.strip_prefix(".figure "));
    let mut style = rules.collect::<Vec<_>>().join("\n");
    for (variable, colour) in COLOURS {
        style = style.replace(variable, colour);
    }
    let style = format!("<style>text {{ font-family: sans-serif }}\n{style}</style>\n<title ");
    svg.replacen("<title ", &style, 1).replace(".html\"", ".xhtml\"")
}

fn with_new_links(html: &str, site: &Site) -> String {
    site.pages.iter().fold(html.to_string(), |html, page| {
        let stem = page.file.trim_end_matches(".html");
        html.replace(&format!("href=\"{}", page.file), &format!("href=\"{stem}.xhtml"))
    })
}

/// A reader's device shows both twins, one below the other: it needs no tabs.
fn as_xml(html: &str) -> String {
    let mut out = String::new();
    for (n, part) in html.split('<').enumerate() {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        match tag.split([' ', '/']).next() {
            _ if n == 0 => out += part,
            Some("input" | "wbr") => out += text,
            Some("br" | "hr" | "img") => out += &format!("<{}/>{text}", tag.trim_end_matches('/')),
            Some("details") => out += &format!("<details open=\"open\">{text}"),
            _ => out += &format!("<{tag}>{text}"),
        }
    }
    out
}

fn xhtml(title: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n<head>\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"stylesheet.css\"/>\n</head>\n\
         <body>\n{body}\n</body>\n</html>\n",
        title.replace('&', "&amp;")
    )
}
