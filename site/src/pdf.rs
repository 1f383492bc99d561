//! The book as a PDF: the page that holds all chapters, printed twice by Chromium.

use crate::Result;
use crate::site::{PLACE, between};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, io};

/// Under what names a Chromium may be installed.
const BROWSERS: &[&str] =
    &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const MISSING: &str = "a PDF is printed by Chromium, and there is none here: \
    apt-get install chromium, or name yours: CHROMIUM=/path/to/it cargo run -- pdf";

/// Writes it beside the folder of the pages.
pub fn write(pages: &Path) -> Result<PathBuf> {
    let file = pages.with_extension("pdf");
    let unnumbered = pages.join("print.html");
    // Where a heading comes to stand, only the print tells: the second one names
    // the pages in its contents.
    let numbers = print(&unnumbered, &file)?;
    let numbered = pages.join("numbered.html");
    fs::write(&numbered, number_contents(&fs::read_to_string(&unnumbered)?, &numbers)?)?;
    let printed = print(&numbered, &file);
    fs::remove_file(numbered)?;
    match printed? == numbers {
        true => Ok(file),
        false => Err("the numbers in the contents have moved the pages".into()),
    }
}

/// Prints a page, and says on which sheet each of its headings stands.
fn print(page: &Path, file: &Path) -> Result<BTreeMap<String, usize>> {
    let profile = file.with_extension("chromium");
    let mut arguments = vec![
        "--headless".to_string(),
        "--disable-gpu".to_string(),
        "--no-pdf-header-footer".to_string(),
        "--generate-pdf-document-outline".to_string(),
        format!("--user-data-dir={}", profile.display()),
        format!("--print-to-pdf={}", file.display()),
    ];
    if is_root() {
        arguments.push("--no-sandbox".to_string()); // as root, Chromium has none
    }
    arguments.push(format!("file://{}", page.display()));
    let output = first_browser(&arguments);
    let _ = fs::remove_dir_all(profile);
    let output = output?;
    if !output.status.success() || !file.is_file() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("Chromium did not print the book:\n{said}").into());
    }
    let pdf = fs::read(file)?;
    destinations(&String::from_utf8_lossy(&pdf)).ok_or("the PDF is not as Chromium wrote it".into())
}

/// The sheet that each id is on: `/Dests` names the object of its sheet. Of a PDF
/// by Chromium this much can be read as text, so nobody has to compile a reader.
fn destinations(pdf: &str) -> Option<BTreeMap<String, usize>> {
    let catalog = between(pdf, "<</Type /Catalog\n", "endobj")?;
    let mut sheets = Vec::new();
    add_sheets(pdf, reference(catalog, "/Pages ")?, &mut sheets);
    let all = object(pdf, reference(catalog, "/Dests ")?)?;
    let lines = all.lines().map(|line| {
        let (id, place) = line.trim_start_matches("<<").strip_prefix('/')?.split_once(" [")?;
        let sheet = sheets.iter().position(|sheet| Some(*sheet) == place.split(' ').next())?;
        Some((id.to_string(), sheet + 1))
    });
    lines.collect()
}

/// The sheets are the leaves of a tree.
fn add_sheets<'a>(pdf: &'a str, number: &'a str, sheets: &mut Vec<&'a str>) {
    match object(pdf, number).and_then(|node| between(node, "/Kids [", "]")) {
        Some(kids) => kids.split(" 0 R").for_each(|kid| match kid.trim() {
            "" => (),
            kid => add_sheets(pdf, kid, sheets),
        }),
        None => sheets.push(number),
    }
}

fn object<'a>(pdf: &'a str, number: &str) -> Option<&'a str> {
    between(pdf, &format!("\n{number} 0 obj\n"), "\nendobj")
}

/// Of `/Pages 7 0 R`, the `7`.
fn reference<'a>(dictionary: &'a str, key: &str) -> Option<&'a str> {
    between(dictionary, key, " 0 R")
}

/// Fills the place that `Site::finish` has left in each line of the contents.
fn number_contents(html: &str, numbers: &BTreeMap<String, usize>) -> Result<String> {
    let mut lines = html.split(PLACE).peekable();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        out += line;
        if lines.peek().is_some() {
            let id = line.rsplit("href=\"#").next().and_then(|rest| rest.split('"').next());
            let number = id.and_then(|id| numbers.get(id));
            let number = number.ok_or_else(|| format!("no sheet has the heading {id:?}"))?;
            out += &PLACE.replace("></", &format!(">{number}</"));
        }
    }
    Ok(out)
}

fn first_browser(arguments: &[String]) -> Result<Output> {
    let named = env::var("CHROMIUM").ok();
    let names = named.as_deref().map_or(BROWSERS.to_vec(), |name| vec![name]);
    for name in names {
        match Command::new(name).args(arguments).output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            output => return Ok(output?),
        }
    }
    Err(MISSING.into())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
