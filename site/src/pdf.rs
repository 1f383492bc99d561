//! The book as a PDF: the page that holds all chapters, printed by Chromium.

use crate::Result;
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
    let output = print(&pages.join("print.html"), &file)?;
    if !output.status.success() || !file.is_file() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("Chromium did not print the book:\n{said}").into());
    }
    Ok(file)
}

fn print(page: &Path, file: &Path) -> Result<Output> {
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
    output
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
