//! What a child gets besides its function and arguments, and the ways to start it.

use super::Process;
use super::child::Child;
use super::fork_server::ForkServer;
use crate::Error;
use crate::error::Trying;
use crate::pipe::Channel;
use crate::spawn::{self, Answer, Arguments, Options, ReturnValue, exit_now};
use nix::unistd::{ForkResult, fork};
use std::ffi::OsString;
use std::io::{Write, stdout};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A child to start: its name, whether it is a daemon, its environment, its folder, and where its
/// output goes. It works with all three start methods.
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
#[must_use = "a builder starts nothing before `spawn`, `fork` or `spawn_on`"]
pub struct ProcessBuilder(Options);

impl ProcessBuilder {
    /// The child's name, for people to read: [`current_process`](crate::current_process) returns
    /// it, and ps(1) shows its first 15 bytes. Without one, a child is named `Process-1`,
    /// `Process-2`, and so on.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// Whether the child is killed (`SIGKILL`) as soon as this process has ended, however it ended.
    /// A child that is not a daemon goes on.
    ///
    /// A daemon has a second thread, which waits for its parent. So a daemon that is stopped by a
    /// signal is killed only once it is continued, and one that has called exec(3) is not killed.
    ///
    /// In Python, a daemon ends when its parent exits, but not when the parent is killed, and it
    /// may not have children. Here it may. They are daemons only if you say so.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.0.daemon = daemon;
        self
    }

    /// Sets a variable of the child's environment. The table at [`Process`] says where all others
    /// come from.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.0.setup.environment.push((name.into(), value.into()));
        self
    }

    /// The folder in which the child starts. If it does not exist, [`spawn`](ProcessBuilder::spawn)
    /// returns an error; with the other start methods, `join` does.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.0.setup.directory = Some(folder.into().into());
        self
    }

    /// Where the child's standard output goes: a file, a pipe, a socket. To discard it, pass
    /// `/dev/null`.
    pub fn stdout(mut self, file: impl Into<OwnedFd>) -> Self {
        self.0.setup.stdout = Some(file.into().into());
        self
    }

    /// Where the child's standard error goes, as [`stdout`](ProcessBuilder::stdout).
    pub fn stderr(mut self, file: impl Into<OwnedFd>) -> Self {
        self.0.setup.stderr = Some(file.into().into());
        self
    }

    /// Starts the child, as [`Process::spawn`].
    ///
    /// # Errors
    ///
    /// Those of [`Process::spawn`]; [`Error::System`] for a folder that does not exist, for a name,
    /// a variable or a folder with a NUL in it, and for a variable whose name is empty or has a
    /// `=`.
    pub fn spawn<A: Arguments, R: ReturnValue>(
        self,
        f: fn(A) -> R,
        args: A,
    ) -> Result<Process<R>, Error> {
        let options = self.0.checked()?;
        let (pid, answers) = spawn::start(f, &args, &options)?;
        Ok(Process::new(options, Child::new(pid)?, answers))
    }

    /// Has a fork server start the child, as [`ForkServer::spawn`].
    ///
    /// # Errors
    ///
    /// Those of [`ForkServer::spawn`]; [`Error::System`] for a name, a variable or a folder
    /// with a NUL in it, and for a variable whose name is empty or has a `=`. A folder that
    /// does not exist is an error of the child's [`join`](Process::join).
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, ForkServer, Process};
    /// use std::env;
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let server = ForkServer::start()?;
    ///     let builder = Process::builder().name("walker").current_dir("/");
    ///     let child = builder.spawn_on(&server, |()| env::current_dir().ok(), ())?;
    ///     assert_eq!(child.join()?, Some("/".into()));
    ///     Ok(())
    /// }
    /// ```
    pub fn spawn_on<A: Arguments, R: ReturnValue>(
        self,
        server: &ForkServer,
        f: fn(A) -> R,
        args: A,
    ) -> Result<Process<R>, Error> {
        server.start_child(self.0.checked()?, f, &args)
    }

    /// Starts the child as a copy of this process, as [`Process::fork`].
    ///
    /// # Safety
    ///
    /// What [`Process::fork`] demands.
    ///
    /// # Errors
    ///
    /// Those of [`Process::fork`]; [`Error::System`] for a name, a variable or a folder
    /// with a NUL in it, and for a variable whose name is empty or has a `=`. A folder that
    /// does not exist is an error of the child's [`join`](Process::join).
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process, current_process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     let builder = Process::builder().name("copy");
    ///     // SAFETY: this program has one thread.
    ///     let child = unsafe { builder.fork(|| current_process().name().to_string()) }?;
    ///     assert_eq!(child.join()?, "copy");
    ///     Ok(())
    /// }
    /// ```
    pub unsafe fn fork<R: ReturnValue>(self, f: impl FnOnce() -> R) -> Result<Process<R>, Error> {
        let options = self.0.checked()?;
        let identity = options.identity()?;
        let (ours, theirs) = Channel::pair()?;
        stdout().flush().trying_to("flush the standard output before a fork")?;
        // SAFETY: as the caller promises.
        match unsafe { fork() }.trying_to("fork")? {
            ForkResult::Parent { child } => Ok(Process::new(options, Child::new(child)?, ours)),
            ForkResult::Child => {
                drop(ours);
                let answer = Answer::from_call(|| {
                    // SAFETY: this process was just forked, so it has one thread.
                    unsafe { options.setup.apply() }?;
                    identity.assume()?;
                    Ok(f())
                });
                exit_now(answer.post(&theirs))
            }
        }
    }
}
