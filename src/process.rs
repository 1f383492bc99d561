//! A process that this program has started.

use crate::Error;
use crate::pipe::Channel;
use crate::spawn::{self, Answer};
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::thread;

/// A child that runs one function, as Python's `multiprocessing.Process`.
///
/// Dropping it does not wait for the child, which goes on; when it ends, it is
/// reaped at once, by a thread that the drop starts if the child still runs. So a
/// program that forks should [`join`](Process::join) its children instead.
///
/// A child's standard input is empty (`/dev/null`), as in Python; its standard
/// output and error are the parent's.
#[derive(Debug)]
pub struct Process<R> {
    pid: Pid,
    channel: Channel,
    reaped: bool,
    returns: PhantomData<fn() -> R>,
}

impl<R: Serialize + DeserializeOwned> Process<R> {
    /// Starts a process that calls `f(args)`: Python's `Process(target=f,
    /// args=args)` and `start()` in one.
    ///
    /// The child is a new process that runs this program from the start, up to
    /// [`init`](crate::init). It shares nothing with its parent but what travels in
    /// `args`. Several arguments are passed as a tuple. `f` is a function, or a
    /// closure that captures nothing; what it needs must be in `args`.
    ///
    /// # Errors
    ///
    /// Before anything is started: [`Error::NotInitialised`] without
    /// [`init`](crate::init); [`Error::NotInExecutable`] for a function of a shared
    /// library; [`Error::Encode`] for arguments that cannot be serialised.
    /// [`Error::System`] if the system starts no process or has no descriptors left.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|(a, b)| a + b, (20, 22))?;
    ///     assert_eq!(child.join()?, 42);
    ///     Ok(())
    /// }
    /// ```
    pub fn spawn<A: Serialize + DeserializeOwned>(f: fn(A) -> R, args: A) -> Result<Self, Error> {
        let (pid, channel) = spawn::start(f, &args)?;
        Ok(Self { pid, channel, reaped: false, returns: PhantomData })
    }

    /// Waits until the child has ended; returns what its function returned.
    ///
    /// Python's `join()` does not return it; there a queue must bring it back.
    /// Here a result of any size is there when the child has ended: the child never
    /// waits for its parent.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked; [`Error::Exited`] if something
    /// in it called `exit`; [`Error::Killed`] if a signal killed it;
    /// [`Error::Failed`] if the arguments could not be decoded or the result not
    /// encoded. A child that is killed after its function returned and the result
    /// was sent gives the result.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| -> () { std::process::exit(3) }, ())?;
    ///     assert!(matches!(child.join(), Err(Error::Exited { status: 3 })));
    ///     Ok(())
    /// }
    /// ```
    pub fn join(mut self) -> Result<R, Error> {
        let end = wait(self.pid, WaitPidFlag::empty());
        self.reaped = true;
        // The answer was sent before the child ended, or never will be. It is there
        // even if another part of the program has taken the end (ECHILD).
        let Some(mut message) = self.channel.try_receive()? else { return Err(error_of(end)) };
        match message.take()? {
            Answer::Returned => message.take_last(),
            Answer::Panicked { message, location } => Err(Error::Panicked { message, location }),
            Answer::Failed { reason } => Err(Error::Failed { reason }),
        }
    }
}

impl<R> Process<R> {
    /// The child's process id.
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| std::process::id(), ())?;
    ///     let pid = child.pid();
    ///     assert_eq!(child.join()?, pid);
    ///     Ok(())
    /// }
    /// ```
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }
}

impl<R> Drop for Process<R> {
    fn drop(&mut self) {
        let pid = self.pid;
        if !self.reaped && wait(pid, WaitPidFlag::WNOHANG) == Ok(WaitStatus::StillAlive) {
            let reaper = thread::Builder::new().name(format!("reaper of {pid}"));
            // Without a thread, the zombie stays until this program ends.
            let _ = reaper.stack_size(64 * 1024).spawn(move || wait(pid, WaitPidFlag::empty()));
        }
    }
}

fn wait(pid: Pid, flags: WaitPidFlag) -> nix::Result<WaitStatus> {
    loop {
        match waitpid(pid, Some(flags)) {
            Err(Errno::EINTR) => continue,
            end => return end,
        }
    }
}

/// What a child that gave no answer died of.
fn error_of(end: nix::Result<WaitStatus>) -> Error {
    match end {
        Ok(WaitStatus::Signaled(_, signal, _)) => Error::Killed { signal },
        Ok(WaitStatus::Exited(_, status)) => Error::Exited { status },
        end => Error::System {
            what: "learn how the child ended (does the program ignore SIGCHLD, or call wait itself?)",
            source: end.err().unwrap_or(Errno::ECHILD).into(),
        },
    }
}
