//! The exercises' own files. A program that is checked could change them, as it runs with the
//! reader's rights: the answers, the files as they are given, the checker, and its results.

use crate::exercise::Verdict;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files of a folder and of all folders in it, with their bytes.
struct Files {
    folder: PathBuf,
    bytes: BTreeMap<PathBuf, Vec<u8>>,
}

/// Makes a check. If a file of `own` was changed meanwhile, nobody knows what was checked, and that
/// is an error. The results are put back as they were.
pub fn guarded(
    own: &Path,
    results: &Path,
    check: impl FnOnce() -> Verdict,
) -> Result<Verdict, String> {
    let (own, results) = (Files::read(own), Files::read(results));
    let verdict = check();
    results.put_back().map_err(|error| format!("the results cannot be put back: {error}"))?;
    own.changed().first().map_or(Ok(verdict), |path| {
        Err(format!(
            "{} was changed while your program ran. If you did not save it, your program did. So \
             what was found is not kept: check it again.",
            path.display()
        ))
    })
}

impl Files {
    fn read(folder: &Path) -> Self {
        let mut bytes = BTreeMap::new();
        read_into(folder, &mut bytes);
        Self { folder: folder.to_path_buf(), bytes }
    }

    /// What was changed, added or removed since.
    fn changed(&self) -> Vec<PathBuf> {
        let now = Self::read(&self.folder).bytes;
        let all = now.keys().chain(self.bytes.keys());
        all.filter(|path| now.get(*path) != self.bytes.get(*path)).cloned().collect()
    }

    fn put_back(&self) -> io::Result<()> {
        let changed = self.changed();
        changed.into_iter().try_for_each(|path| match self.bytes.get(&path) {
            Some(bytes) => {
                fs::create_dir_all(&self.folder)?;
                fs::write(&path, bytes)
            }
            None => fs::remove_file(&path),
        })
    }
}

/// A folder or a file that cannot be read is as good as none.
fn read_into(folder: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => read_into(&path, all),
            Ok(kind) if kind.is_file() => all.extend(fs::read(&path).ok().map(|b| (path, b))),
            _ => (),
        }
    }
}
