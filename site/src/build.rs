//! One strict build: mdBook, the mends of its pages, the checks.

use crate::site::Site;
use crate::{Result, chapters, complaints, includes, pages, polish};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Faults that were found, one line each, with file and line.
pub type Faults = Vec<String>;

/// A book without fault.
pub struct Built {
    /// The folder of its pages.
    pub pages: PathBuf,
    pub site: Site,
}

/// Builds the book of `root` and checks it. The folder of its pages is replaced
/// as a whole, and only by a book without fault.
pub fn build(root: &Path) -> Result<Built> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());

    let mut config = Config::from_disk(root.join("book.toml"))?;
    config.update_from_env()?;
    let finished = root.join(&config.build.build_dir);
    config.build.build_dir.set_extension("next");
    let next = root.join(&config.build.build_dir);

    let (site, faults) = build_into(root, config, &next)?;
    if !faults.is_empty() {
        let list = faults.join("\nerror: ");
        return Err(format!("{list}\nerror: the book has {} fault(s)", faults.len()).into());
    }
    replace(&finished, &next)?;
    Ok(Built { pages: finished, site })
}

fn build_into(root: &Path, config: Config, to: &Path) -> Result<(Site, Faults)> {
    complaints::take();
    let mut book = MDBook::load_with_config(root, config)?;
    let mut faults = includes::check(&book);
    book.with_preprocessor(chapters::Chapters);
    let site = Site::of(&book);
    book.build()?;
    faults.extend(complaints::take());
    faults.extend(polish::polish(to, &site)?);
    faults.extend(pages::check(&book, to)?);
    for fault in &mut faults {
        *fault = fault.replace(&format!("{}/", root.display()), "");
    }
    Ok((site, faults))
}

/// A page that is asked for meanwhile comes from the old book or the new one.
fn replace(finished: &Path, next: &Path) -> Result<()> {
    let old = finished.with_extension("old");
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    if finished.exists() {
        fs::rename(finished, &old)?;
    }
    fs::rename(next, finished)?;
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}
