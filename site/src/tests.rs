//! The book builds; and each fault that a build must find was seen to stop it.

use crate::build::Built;
use crate::{build, complaints, root};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use tempfile::TempDir;

/// The book itself, built once for all tests.
pub fn book() -> &'static Built {
    static BOOK: OnceLock<Built> = OnceLock::new();
    BOOK.get_or_init(|| {
        complaints::listen();
        build::build(&root()).unwrap_or_else(|faults| panic!("{faults}"))
    })
}

#[test]
fn the_book_builds() {
    assert!(book().pages.join("index.html").is_file());
}

/// A small book without fault.
const FILES: &[(&str, &str)] = &[
    (
        "book.toml",
        "[book]\ntitle = \"T\"\nsrc = \"book\"\n[build]\nbuild-dir = \"out/book\"\ncreate-missing = false\n",
    ),
    ("book/SUMMARY.md", "# Summary\n\n- [Start](start.md)\n- [End](end.md)\n"),
    ("book/start.md", "# Start\n\nOn to the [end](end.md#the-end).\n"),
    ("book/end.md", "# End\n\n## The end\n\n```rust\n{{#include ../end.rs:part}}\n```\n"),
    ("site/keywords.toml", "[start]\n\"Start\" = \"begin\"\n"),
    ("end.rs", "// ANCHOR: part\nfn main() {}\n// ANCHOR_END: part\n"),
];

/// A file, what is replaced in it by what, and what must be said.
const BREAKS: &[(&str, &str, &str, &str)] = &[
    (
        "book/end.md",
        "end.rs:part",
        "ends.rs:part",
        "book/end.md:6: include of ../ends.rs: No such file",
    ),
    (
        "book/end.md",
        ":part",
        ":port",
        "book/end.md:6: include of ../end.rs:port: ../end.rs has no `ANCHOR: port`",
    ),
    ("book/end.md", ":part", ":1:2", "book/end.md:6: include of ../end.rs:1:2: lines go stale"),
    ("end.rs", "// ANCHOR_END: part", "", "../end.rs has no `ANCHOR_END: part`"),
    ("book/start.md", "end.md#", "ende.md#", "book/start.md:3: dead link: ende.html"),
    (
        "book/start.md",
        "#the-end",
        "#an-end",
        "book/start.md:3: dead link: end.html#an-end names no heading",
    ),
    (
        "book/end.md",
        "## The end",
        "<p id=\"x\"></p><p id=\"x\"></p>",
        "book/end.md:3: the id `x` stands twice",
    ),
    (
        "book/end.md",
        "## The end",
        "![](https://e.org/a.png)",
        "book/end.md:3: the page would load https://e.org/a.png",
    ),
    ("book/end.md", "## The end", "<p style=\"background: url(//e.org)\">", "would load //e.org"),
    ("book/end.md", "# End", "# End\n{{#include ../nowhere.rs}}", "mdBook: "),
    ("book/SUMMARY.md", "end.md", "ende.md", "ende.md"),
    ("site/keywords.toml", "Start", "Stop", "no such heading: site/keywords.toml: Start: Stop"),
];

#[test]
fn each_break_stops_the_build() {
    complaints::listen();
    for (file, old, new, fault) in BREAKS {
        let book = small_book();
        assert!(build::build(book.path()).is_ok(), "the small book has no fault");
        let text = fs::read_to_string(book.path().join(file)).expect("it was written");
        assert!(text.contains(old), "{file} has no {old}");
        write(book.path(), file, &text.replacen(old, new, 1));
        let said = match build::build(book.path()) {
            Ok(_) => "nothing".to_string(),
            Err(faults) => faults.to_string(),
        };
        assert!(said.contains(fault), "expected: {fault}\nsaid: {said}");
    }
}

#[test]
fn a_build_with_a_fault_leaves_the_book_before() {
    let book = small_book();
    let pages = build::build(book.path()).expect("it has no fault").pages;
    write(book.path(), "book/start.md", "# Start\n\n[lost](lost.md)\n");
    assert!(build::build(book.path()).is_err());
    let page = fs::read_to_string(pages.join("start.html")).expect("it is still there");
    assert!(page.contains("On to the"));
}

/// What is added to book.toml, a page, and what it must then hold.
const TOLD: &[(&str, &str, &str)] = &[
    ("", "index.html", "<title>T</title>"),
    ("", "end.html", "<title>End - T</title>"),
    ("", "index.html", "<meta name=\"description\" content=\"On to the end.\">"),
    ("", "index.html", "<meta property=\"og:description\" content=\"On to the end.\">"),
    ("", "index.html", "<a rel=\"next\" href=\"end.html\">Next: End</a>"),
    ("", "index.html", "<p class=\"version\">Version "),
    ("", "print.html", "<li class=\"section-line\"><a href=\"#the-end\">The end</a>"),
    ("site-url = \"https://e.org/b/\"", "end.html", "content=\"https://e.org/b/end.html\">"),
    ("site-url = \"https://e.org/b/\"", "sitemap.xml", "<loc>https://e.org/b/end.html</loc>"),
    ("git-repository-url = \"https://e.org/r\"", "end.html", "href=\"https://e.org/r\""),
    ("edit-url-template = \"https://e.org/{path}\"", "end.html", "\"https://e.org/book/end.md\""),
];

#[test]
fn the_pages_tell_of_themselves() {
    complaints::listen();
    for (setting, page, told) in TOLD {
        let book = small_book();
        let toml = format!("{}[output.html]\n{setting}\n", FILES[0].1);
        write(book.path(), "book.toml", &toml);
        write(book.path(), "site/keywords.toml", "");
        write(book.path(), "book/SUMMARY.md", "# Summary\n\n[T](index.md)\n\n- [End](end.md)\n");
        fs::rename(book.path().join("book/start.md"), book.path().join("book/index.md"))
            .expect("it was written");
        let pages = build::build(book.path()).expect("it has no fault").pages;
        let text = fs::read_to_string(pages.join(page)).expect("it was built");
        assert!(text.contains(told), "{page} does not hold {told}");
    }
}

#[test]
fn keywords_are_found_and_not_shown() {
    complaints::listen();
    let book = small_book();
    write(book.path(), "site/keywords.toml", "[end]\n\"The end\" = \"terminus\"\n");
    let pages = build::build(book.path()).expect("it has no fault").pages;
    for file in fs::read_dir(pages).expect("it was built") {
        let file = file.expect("a file").path();
        let text = fs::read_to_string(&file).unwrap_or_default();
        // The index holds a word letter by letter.
        assert!(!text.contains("terminus"), "{} shows the word", file.display());
        if file.to_string_lossy().contains("searchindex") {
            assert!(text.contains(r#""t":{"df":0,"docs":{},"e":{"df":0,"docs":{},"r""#), "{text}");
        }
    }
}

#[test]
fn two_builds_at_once_wait_for_each_other() {
    let book = small_book();
    thread::scope(|scope| {
        let builds: Vec<_> = (0..4).map(|_| scope.spawn(|| build::build(book.path()))).collect();
        for build in builds {
            let pages = build.join().expect("no panic").expect("no fault").pages;
            assert!(pages.join("end.html").is_file());
        }
    });
}

fn small_book() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (file, text) in FILES {
        write(folder.path(), file, text);
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap_or(folder)).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

#[test]
fn a_long_call_in_a_table_may_break() {
    complaints::listen();
    let book = small_book();
    let table = "# End\n\n## The end\n\n| a |\n|---|\n| `wait_timeout(Duration)`, `a_call()` |\n";
    write(book.path(), "book/end.md", table);
    let pages = build::build(book.path()).expect("it has no fault").pages;
    let text = fs::read_to_string(pages.join("end.html")).expect("it was built");
    assert!(text.contains("<code>wait_<wbr>timeout(<wbr>Duration)</code>, <code>a_call()</code>"));
}
