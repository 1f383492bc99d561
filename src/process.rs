//! A process that this program has started.

mod builder;
mod child;
mod fork;
mod fork_server;

pub use builder::Builder;
pub use fork_server::ForkServer;

use crate::Error;
use crate::pipe::Channel;
use crate::spawn::Answer;
use child::{Child, End};
use nix::sys::signal::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A child that runs one function, as Python's `multiprocessing.Process`.
///
/// Dropping it does not wait for the child, which goes on; when it ends, it is
/// reaped at once, by a thread that the drop starts if the child still runs. So a
/// program that forks should [`join`](Process::join) its children instead.
///
/// A child's standard input is empty (`/dev/null`), as in Python; its standard
/// output and error are the parent's, unless the [`Builder`] says otherwise.
///
/// A process is ready for [`wait`](crate::wait), and its descriptor is readable,
/// when it has ended: Python's `sentinel`.
#[derive(Debug)]
pub struct Process<R> {
    name: String,
    child: Child,
    channel: Channel,
    /// The result was returned by `join_timeout`.
    taken: bool,
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
    /// [`init`](crate::init); [`Error::SetUserId`] in a program that runs with more rights
    /// than those who started it; [`Error::NotInExecutable`] for a function of a shared
    /// library; [`Error::Encode`] for arguments that cannot be serialised, or leave a
    /// field out (`skip_serializing_if`).
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
        Builder::default().spawn(f, args)
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
    /// encoded; [`Error::EndUnknown`] if there is no result and somebody else has
    /// taken the child's end. A child that is killed after its function returned
    /// and the result was sent gives the result. [`Error::EndUnknown`] if
    /// [`join_timeout`](Process::join_timeout) has returned it already.
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
        let end = self.child.end_within(None).unwrap_or(End::Unknown);
        self.take_result(end)
    }

    /// Waits until the child has ended, but no longer than `timeout`, by the
    /// monotonic clock. `None` if it still runs then.
    ///
    /// In Python, `join(timeout)` returns nothing, and `exitcode` must be asked
    /// whether the child has ended.
    ///
    /// # Errors
    ///
    /// Those of [`join`](Process::join), when the child has ended.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let mut child = Process::spawn(|()| loop { std::thread::park() }, ())?;
    ///     let result: Option<()> = child.join_timeout(Duration::from_millis(10))?;
    ///     assert_eq!(result, None);
    ///     child.kill()?;
    ///     assert!(matches!(child.join(), Err(Error::Killed { .. })));
    ///     Ok(())
    /// }
    /// ```
    pub fn join_timeout(&mut self, timeout: Duration) -> Result<Option<R>, Error> {
        match self.child.end_within(Some(timeout)) {
            None => Ok(None),
            Some(end) => self.take_result(end).map(Some),
        }
    }

    fn take_result(&mut self, end: End) -> Result<R, Error> {
        if std::mem::replace(&mut self.taken, true) {
            return Err(Error::EndUnknown);
        }
        // The answer was sent before the child ended, or never will be. It is there
        // even if another part of the program has taken the end.
        let answer = match self.channel.try_receive() {
            Err(Error::Closed) => None,
            answer => answer?,
        };
        let mut message = answer.ok_or_else(|| error_of(end))?;
        match message.take()? {
            Answer::Returned => message.take_last(),
            Answer::Panicked { message, location } => Err(Error::Panicked { message, location }),
            Answer::Failed { reason } => Err(Error::Failed { reason }),
        }
    }
}

impl Process<()> {
    /// A child with a name, another folder, another environment, or one that ends
    /// with its parent.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl<R> Process<R> {
    fn new(name: String, child: Child, channel: Channel) -> Self {
        Self { name, child, channel, taken: false, returns: PhantomData }
    }

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
        self.child.pid.as_raw().unsigned_abs()
    }

    /// The child's name: what the [`Builder`] was told, or `Process-N` for the Nth
    /// child.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the child has not ended yet.
    ///
    /// ```
    /// use multiprocessing::{Error, Process, wait};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| (), ())?;
    ///     wait(&[&child], None)?;
    ///     assert!(!child.is_alive());
    ///     assert_eq!(child.exit_code(), Some(0));
    ///     Ok(())
    /// }
    /// ```
    pub fn is_alive(&self) -> bool {
        self.child.end().is_none()
    }

    /// How the child ended, in one number as Python's `exitcode`: its exit status,
    /// or -9 for signal 9. `None` if it still runs, or if nobody knows: somebody
    /// else has taken the child's end, or its fork server was killed.
    ///
    /// A child whose function returned has exit status 0, one whose function
    /// panicked 101 (in Python 1).
    pub fn exit_code(&self) -> Option<i32> {
        match self.child.end()? {
            End::Exited(status) => Some(status),
            End::Killed(signal) => Some(-signal),
            End::Unknown => None,
        }
    }

    /// Asks the child to end, by `SIGTERM`, which ends it unless it handles that
    /// signal. It does not clean up: no destructor runs, locks stay locked, and its
    /// own children go on.
    ///
    /// The signal goes to this child and no other process, even if its id was
    /// given to another.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the child has ended and is known to have.
    pub fn terminate(&self) -> Result<(), Error> {
        self.child.signal(Signal::SIGTERM)
    }

    /// Ends the child, by `SIGKILL`, which no program can handle. Else as
    /// [`terminate`](Process::terminate).
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate).
    pub fn kill(&self) -> Result<(), Error> {
        self.child.signal(Signal::SIGKILL)
    }
}

impl<R> AsFd for Process<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.pidfd().as_fd()
    }
}

/// What a child that gave no answer died of.
fn error_of(end: End) -> Error {
    match end {
        End::Exited(status) => Error::Exited { status },
        End::Killed(signal) => Error::Killed { signal },
        End::Unknown => Error::EndUnknown,
    }
}
