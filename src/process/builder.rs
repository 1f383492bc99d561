//! What a child gets beside its function and arguments.

use super::Process;
use super::child::Child;
use crate::Error;
use crate::spawn::{self, Options};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A child that is to be started: its name, whether it is a daemon, its
/// environment, its folder, and where its output goes.
///
/// ```
/// use multiprocessing::{Error, Process};
/// use std::env;
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let child = Process::builder()
///         .name("walker")
///         .env("LANGUAGE", "de")
///         .current_dir("/")
///         .spawn(|()| (env::var("LANGUAGE").ok(), env::current_dir().ok()), ())?;
///     assert_eq!(child.name(), "walker");
///     assert_eq!(child.join()?, (Some("de".to_string()), Some("/".into())));
///     Ok(())
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder starts nothing before `spawn`"]
pub struct Builder(Options);

impl Builder {
    /// The child's name, for people: it stands in
    /// [`current_process_name`](crate::current_process_name), and its first 15
    /// bytes in ps(1). Without one, a child is `Process-1`, `Process-2`, and so on.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Whether the child is killed (`SIGKILL`) as soon as this process has ended,
    /// however it ended. A child that is no daemon goes on. (So does one that is stopped
    /// by a signal, until it is continued, and one that has replaced its program by
    /// another: the thread that waits does not run, or is gone.)
    ///
    /// In Python a daemon is ended when its parent exits, but not when the parent
    /// is killed; and it may have no children. Here it may, but they are no
    /// daemons unless you say so. A daemon has a second thread, which waits for its
    /// parent.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.0.daemon = daemon;
        self
    }

    /// Sets a variable of the child's environment, which is else this process's.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.environment.push((name.into(), value.into()));
        self
    }

    /// The folder in which the child starts. One that does not exist is an error of
    /// [`spawn`](Builder::spawn).
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.directory = Some(folder.into());
        self
    }

    /// Where the child's standard output goes: a file, a pipe, a socket. Open
    /// `/dev/null` to drop it. Without this call it is this process's.
    pub fn stdout(mut self, file: impl Into<OwnedFd>) -> Self {
        self.0.stdout = Some(file.into());
        self
    }

    /// Where the child's standard error goes, as [`stdout`](Builder::stdout).
    pub fn stderr(mut self, file: impl Into<OwnedFd>) -> Self {
        self.0.stderr = Some(file.into());
        self
    }

    /// Starts the child, as [`Process::spawn`].
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`]; [`Error::System`] for a folder that does not
    /// exist, for a name, a variable or a folder with a NUL in it, and for a variable
    /// whose name is empty or has a `=`.
    pub fn spawn<A, R>(mut self, f: fn(A) -> R, args: A) -> Result<Process<R>, Error>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        if self.0.name.is_empty() {
            self.0.name = next_name();
        }
        let (pid, channel) = spawn::start(f, &args, &self.0)?;
        Ok(Process::new(self.0.name, Child::new(pid)?, channel))
    }
}

/// `Process-1` for the first child of this process, and so on.
pub fn next_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("Process-{}", 1 + COUNT.fetch_add(1, Ordering::Relaxed))
}
