//! Tells when a file of the book was saved.

use crate::Result;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a build reads.
const FOLDERS: &[&str] = &["book", "examples", "src", "benches", "project", "site/theme"];

/// An editor saves in several steps; this long without another is the last.
const QUIET: Duration = Duration::from_millis(100);

pub struct Watch {
    saved: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub fn new(root: &Path) -> Result<Self> {
        let (tell, saved) = channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            if is_change(event) {
                let _ = tell.send(());
            }
        })?;
        for folder in FOLDERS {
            watcher.watch(&root.join(folder), RecursiveMode::Recursive)?;
        }
        watcher.watch(&root.join("book.toml"), RecursiveMode::NonRecursive)?;
        Ok(Self { saved, _watcher: watcher })
    }

    /// Waits until something was saved, and is quiet again.
    pub fn wait(&self) -> Result<()> {
        self.saved.recv()?;
        while self.saved.recv_timeout(QUIET).is_ok() {}
        Ok(())
    }
}

/// A build reads all files: reading is no change.
fn is_change(event: notify::Result<Event>) -> bool {
    event.is_ok_and(|event| !event.kind.is_access())
}
