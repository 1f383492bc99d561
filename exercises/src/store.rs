//! What was found of a file, by the hash of the file and of the checker: what passes is done, and
//! a file that was changed is looked at again.

use crate::exercise::Verdict;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

pub struct Store {
    folder: PathBuf,
    checker: u64,
}

impl Store {
    /// `folder` need not exist.
    pub fn new(folder: PathBuf) -> Self {
        let checker = fs::read("/proc/self/exe").unwrap_or_default();
        Self { folder, checker: hash(&checker) }
    }

    pub fn load(&self, name: &str, source: &str) -> Option<Verdict> {
        let text = fs::read_to_string(self.path(name, source)).ok()?;
        match text.strip_prefix("passed\n") {
            Some(_) => Some(Ok(())),
            None => text.strip_prefix("failed\n").map(|why| Err(why.to_string())),
        }
    }

    /// A store that cannot be written to only costs time.
    pub fn save(&self, name: &str, source: &str, verdict: &Verdict) {
        let text = match verdict {
            Ok(()) => "passed\n".to_string(),
            Err(why) => format!("failed\n{why}"),
        };
        let _ = fs::create_dir_all(&self.folder);
        let _ = fs::write(self.path(name, source), text);
    }

    fn path(&self, name: &str, source: &str) -> PathBuf {
        self.folder.join(format!("{name}-{:016x}", hash(&(self.checker, source))))
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
