//! The finished pages: every link leads to a page and a heading that exist, no
//! id stands twice, nothing is loaded from another site.

use crate::Result;
use crate::build::Faults;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer,
};
use mdbook_driver::MDBook;
use percent_encoding::percent_decode_str;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What a page says of itself.
#[derive(Default)]
struct Page {
    ids: Vec<String>,
    /// Where a click leads.
    links: Vec<String>,
    /// What the browser fetches by itself.
    loads: Vec<String>,
}

/// Checks the pages in `folder`; a fault names the line of the chapter.
pub fn check(book: &MDBook, folder: &Path) -> Result<Faults> {
    let mut pages = BTreeMap::new();
    let mut faults = Faults::new();
    for file in files(folder)? {
        match file.extension().and_then(|e| e.to_str()) {
            Some("html") => drop(pages.insert(file.clone(), read(&fs::read_to_string(&file)?))),
            Some("css") => faults.extend(css_loads(&file)?),
            _ => (),
        }
    }
    for (file, page) in &pages {
        let name = file.strip_prefix(folder)?;
        // The print page holds every chapter once more: only its ids are its own.
        let print = name == Path::new("print.html");
        let source = Source::of(book, name);
        for id in twice(&page.ids) {
            faults.push(source.fault(id, &format!("the id `{id}` stands twice")));
        }
        for url in page.loads.iter().filter(|url| is_elsewhere(url)) {
            faults.push(source.fault(url, &format!("the page would load {url}")));
        }
        for link in page.links.iter().chain(&page.loads).filter(|_| !print) {
            if let Err(fault) = follow(link, file, folder, &pages) {
                faults.push(source.fault(link, &fault));
            }
        }
    }
    Ok(faults)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn read(html: &str) -> Page {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Reader::default(), Default::default());
    // A tokenizer stops at the end of a script; it goes on when fed again.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
        {
            self.0.borrow_mut().read(&tag);
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn read(&mut self, tag: &Tag) {
        for attribute in &tag.attrs {
            let value = attribute.value.to_string();
            match (&*tag.name, &*attribute.name.local) {
                (_, "id") => self.ids.push(value),
                ("a" | "area", "href") => self.links.push(value),
                ("base", "href") => (),
                (_, "href" | "src" | "srcset" | "poster" | "data" | "background") => {
                    self.loads.push(value);
                }
                (_, "style") => self.loads.extend(css_urls(&value)),
                _ => (),
            }
        }
    }
}

fn css_loads(file: &Path) -> Result<Faults> {
    let text = fs::read_to_string(file)?;
    let elsewhere = css_urls(&text).into_iter().filter(|url| is_elsewhere(url));
    Ok(elsewhere.map(|url| format!("{}: loads {url}", file.display())).collect())
}

fn css_urls(css: &str) -> Vec<String> {
    let urls = css.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    let imports = css.split("@import").skip(1).filter_map(|rest| rest.split(';').next());
    urls.chain(imports).map(|url| url.trim_matches(['"', '\'', ' ']).to_string()).collect()
}

/// With a scheme (`https:`) or a host of its own (`//host`); `data:` is here.
fn is_elsewhere(url: &str) -> bool {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let has_scheme = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    url.starts_with("//") || (has_scheme && scheme != "data")
}

fn follow(
    link: &str,
    page: &Path,
    folder: &Path,
    pages: &BTreeMap<PathBuf, Page>,
) -> std::result::Result<(), String> {
    if is_elsewhere(link) || link.starts_with("data:") {
        return Ok(());
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = target(path.split('?').next().unwrap_or(path), page, folder);
    if !target.is_file() {
        return Err(format!("dead link: {link}"));
    }
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    match pages.get(&target) {
        Some(page) if !fragment.is_empty() && !page.ids.iter().any(|id| *id == fragment) => {
            Err(format!("dead link: {link} names no heading of that page"))
        }
        _ => Ok(()),
    }
}

/// The file that a path on a page leads to.
fn target(path: &str, page: &Path, folder: &Path) -> PathBuf {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let mut target = match path.strip_prefix('/') {
        _ if path.is_empty() => page.to_path_buf(),
        Some(rest) => folder.join(rest),
        None => without_dots(&page.with_file_name(&*path)),
    };
    if target.is_dir() {
        target.push("index.html");
    }
    target
}

fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => (),
            part => out.push(part),
        }
    }
    out
}

fn twice(ids: &[String]) -> BTreeSet<&String> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| !seen.insert(*id)).collect()
}

/// The chapter behind a page, to say where a fault was written.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn of(book: &MDBook, page: &Path) -> Self {
        let chapter = book.source_dir().join(page.with_extension("md"));
        match fs::read_to_string(&chapter) {
            Ok(text) => Self { name: chapter.display().to_string(), text },
            Err(_) => Self { name: page.display().to_string(), text: String::new() },
        }
    }

    /// The first line that holds `what`; a link is written with `.md`, a
    /// heading's id with spaces and capitals.
    fn fault(&self, what: &str, fault: &str) -> String {
        let as_written = what.replace(".html", ".md");
        let words = what.replace('-', " ");
        let line = self.text.lines().position(|line| {
            line.contains(what)
                || line.contains(&as_written)
                || (line.starts_with('#') && line.to_lowercase().contains(&words))
        });
        match line {
            Some(line) => format!("{}:{}: {fault}", self.name, line + 1),
            None => format!("{}: {fault}", self.name),
        }
    }
}
