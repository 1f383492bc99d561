//! One error type for the whole crate.

use nix::sys::signal::Signal;
use std::borrow::Cow;
use std::io;

/// What failed, on what, and what to do.
///
/// Where Python raises `ProcessError`, `EOFError`, `OSError` or `PicklingError`,
/// this crate returns one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program did not call [`init`](crate::init). Nothing was started.
    #[error(
        "multiprocessing::init() was not called: write it as the first line of main; where main is not \
         yours, as in tests, write multiprocessing::init_before_main!(); beside them"
    )]
    NotInitialised,

    /// The program runs with more rights than those who started it (set-user-ID). A child
    /// of it would take no orders, and run `main` again. Nothing was started.
    #[error("a set-user-ID program starts no processes: they would take orders from nobody")]
    SetUserId,

    /// A function that is not part of the executable, but of a shared library,
    /// cannot be named to a child. Nothing was started.
    #[error("the function is not in the program's own executable, so a child cannot find it")]
    NotInExecutable,

    /// A value cannot be turned into a message.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// The type of the value.
        what: &'static str,
        /// What serde or postcard said.
        reason: String,
    },

    /// A message cannot be turned into a value.
    #[error("cannot decode {what}: {reason}")]
    Decode {
        /// The type that was expected.
        what: &'static str,
        /// What serde or postcard said.
        reason: String,
    },

    /// The child's function panicked.
    #[error("the child panicked at {location}: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
        /// `file:line:column`
        location: String,
    },

    /// The child ended by itself before its function returned.
    #[error(
        "the child ended with exit status {status} before its function returned: something in it \
         called exit, or its main ended before init()"
    )]
    Exited {
        /// The exit status, 0 to 255.
        status: i32,
    },

    /// A signal killed the child before its function returned.
    #[error("the child was killed by {} before its function returned", name_of(*.signal))]
    Killed {
        /// The signal's number: 9 for `SIGKILL`.
        signal: i32,
    },

    /// The child has ended without a result, and nobody can say how.
    #[error(
        "the child has ended and nobody knows how: the program ignores SIGCHLD or calls wait itself, \
         or the fork server was killed"
    )]
    EndUnknown,

    /// The fork server was killed. It starts no child any more.
    #[error("the fork server has ended, so it starts no child: start another one")]
    ForkServerGone,

    /// The result of this process was returned before.
    #[error("the result of the process was returned by an earlier join_timeout")]
    Joined,

    /// The child could not call its function, or could not send what it returned.
    #[error("the child failed: {reason}")]
    Failed {
        /// Why.
        reason: String,
    },

    /// Nothing more comes from the other end of a connection, and nothing reaches
    /// it: every process that held it has closed it or ended.
    #[error("the other end of the connection is closed: all who held it closed it or ended")]
    Closed,

    /// The sender ended in the middle of a long message. What came of it is dropped;
    /// the next message is not touched.
    #[error("the sender ended in the middle of a message: {received} of {length} bytes came")]
    Unfinished {
        /// Bytes that came.
        received: u64,
        /// Bytes that the message has.
        length: u64,
    },

    /// A process ended, or a thread panicked, while it held the lock. What the lock
    /// protects may be half changed.
    #[error(
        "the holder of the lock died: what it protects may be half changed (see lock_or_repair)"
    )]
    OwnerDied,

    /// The thread that asks for a lock holds it already. It would wait for itself.
    #[error("this thread holds the lock already: an RLock can be acquired again")]
    AlreadyHeld,

    /// A barrier is broken: a process did not come in time, or ended in the middle.
    #[error("the barrier is broken: somebody did not come in time; Barrier::reset mends it")]
    BrokenBarrier,

    /// A bounded semaphore was released more often than acquired.
    #[error("the semaphore has all its {limit} permits: it was released too often")]
    TooManyPermits {
        /// How many it was made with.
        limit: u32,
    },

    /// An element or a byte that is not there.
    #[error("there is no place {index}: the length is {length}")]
    OutOfRange {
        /// The first place that is not there.
        index: usize,
        /// How many there are.
        length: usize,
    },

    /// A system call failed.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: Cow<'static, str>,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What the system would refuse, with the number of its error.
    pub(crate) fn refused(what: String, number: i32) -> Self {
        Self::System { what: what.into(), source: io::Error::from_raw_os_error(number) }
    }
}

/// A real-time signal has no name.
fn name_of(signal: i32) -> String {
    match Signal::try_from(signal) {
        Ok(signal) => signal.to_string(),
        Err(_) => format!("signal {signal}"),
    }
}

/// Says what was tried, where a system call failed.
pub(crate) trait Trying<T> {
    fn trying_to(self, what: &'static str) -> Result<T, Error>;

    /// The same, with what is known only then.
    fn trying_to_do(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> Trying<T> for Result<T, E> {
    fn trying_to(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|e| Error::System { what: what.into(), source: e.into() })
    }

    fn trying_to_do(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|e| Error::System { what: what().into(), source: e.into() })
    }
}
