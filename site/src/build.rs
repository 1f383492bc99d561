//! One strict build: mdBook, the mends of its pages, the checks.

use crate::site::Site;
use crate::{Result, chapters, complaints, includes, pages, polish};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{self, Path, PathBuf};
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
    // mdBook's complaints are collected for the whole program.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());

    let mut config = Config::from_disk(root.join("book.toml"))?;
    config.update_from_env()?;
    let finished = root.join(in_target(&config.build.build_dir)?);
    let _lock = lock(&finished.with_extension("lock"))?;
    let next = finished.with_extension("next");
    config.build.build_dir = next.clone();

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
    book.with_preprocessor(chapters::Chapters::new(root)?);
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

/// cargo may have been told of another folder than `target`.
fn in_target(folder: &Path) -> Result<PathBuf> {
    match (env::var_os("CARGO_TARGET_DIR"), folder.strip_prefix("target")) {
        (Some(target), Ok(rest)) => Ok(path::absolute(target)?.join(rest)),
        _ => Ok(folder.to_path_buf()),
    }
}

/// One build at a time, also of two servers: both would write the same folder.
fn lock(file: &Path) -> Result<File> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    let lock = File::create(file)?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        println!("Another build of this book is under way; this one waits for its end");
        lock.lock()?;
    }
    Ok(lock)
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
