//! Tells when a file of the book was saved.

use crate::Result;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a build reads.
const FOLDERS: &[&str] = &["book", "examples", "src", "benches", "tests", "project", "site/theme"];

/// An editor saves in several steps; this long without another is the last.
const QUIET: Duration = Duration::from_millis(100);

pub struct Watch {
    saved: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub fn new(root: &Path) -> Result<Self> {
        let (tell, saved) = channel();
        let top = root.to_path_buf();
        let mut watcher = notify::recommended_watcher(move |event| {
            if is_change(event, &top) {
                let _ = tell.send(());
            }
        })?;
        for folder in FOLDERS {
            watcher.watch(&root.join(folder), RecursiveMode::Recursive)?;
        }
        // The folder, not the file: an editor may put a new file in its place.
        watcher.watch(root, RecursiveMode::NonRecursive)?;
        Ok(Self { saved, _watcher: watcher })
    }

    /// Waits until something was saved, and is quiet again.
    pub fn wait(&self) -> Result<()> {
        self.saved.recv()?;
        while self.saved.recv_timeout(QUIET).is_ok() {}
        Ok(())
    }
}

/// A build reads all files: reading is no change. In the top folder only
/// `book.toml` matters.
fn is_change(event: notify::Result<Event>, top: &Path) -> bool {
    let matters = |path: &PathBuf| path.parent() != Some(top) || path.ends_with("book.toml");
    event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(matters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_was_put_in_place_of_another_is_a_change_each_time() {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in FOLDERS {
            fs::create_dir_all(root.path().join(folder)).expect("it can be made");
        }
        let watch = Watch::new(root.path()).expect("it can be watched");
        for file in ["book.toml", "book.toml", "tests/pipe.rs"] {
            fs::write(root.path().join("new"), "").expect("it can be written");
            fs::rename(root.path().join("new"), root.path().join(file)).expect("it is there");
            assert!(watch.saved.recv_timeout(QUIET * 20).is_ok(), "{file}");
            while watch.saved.recv_timeout(QUIET).is_ok() {}
        }
    }
}
