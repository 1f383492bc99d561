//! One error type for the whole crate.

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

/// What failed, and what to do about it.
///
/// Where Python raises `ProcessError`, `AuthenticationError`, `EOFError`, `OSError` or
/// `PicklingError`, this crate returns an `Error`.
///
/// `{:?}` shows the same message as `{}`, because a `main` that returns an error prints it with
/// `{:?}`. `{:#?}` shows the variant with its fields. An error can be sent to another process, so
/// a child may return `Result<T, multiprocessing::Error>`.
///
/// ```
/// use multiprocessing::Error;
///
/// let error = Error::OutOfRange { index: 5, length: 4 };
/// assert_eq!(format!("{error:?}"), "index 5 is out of range: the length is 4");
/// assert!(format!("{error:#?}").starts_with("OutOfRange {"));
/// ```
#[derive(thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Error {
    /// The program did not call [`init`](crate::init). Nothing was started.
    #[error(
        "multiprocessing::init() was not called: write it as the first line of main; in a #[test], whose \
         main is not yours, write multiprocessing::init_before_main!(); once, outside of any function"
    )]
    NotInitialised,

    /// A program that was started like this one cannot start children. Nothing was started.
    #[error("this program cannot start processes: {reason}")]
    Unsupported {
        /// What stands in the way.
        reason: Cow<'static, str>,
    },

    /// The function is in a shared library, where a child could not find it.
    /// Nothing was started.
    #[error(
        "the function is in a shared library, not in the program itself: a child could not find it"
    )]
    NotInExecutable,

    /// A value cannot be turned into a message.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// The type of the value.
        what: Cow<'static, str>,
        /// What serde or postcard said.
        reason: String,
    },

    /// A message cannot be turned into a value.
    #[error("cannot decode {what}: {reason}")]
    Decode {
        /// The type that was expected.
        what: Cow<'static, str>,
        /// What serde or postcard said.
        reason: String,
    },

    /// The function panicked that was called in another process.
    #[error("it panicked at {location}: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
        /// `file:line:column`
        location: String,
    },

    /// The child exited before its function returned.
    #[error(
        "the child ended with exit status {status} before its function returned: something in it \
         called exit, or its main ended before init()"
    )]
    Exited {
        /// The exit status, 0 to 255.
        status: i32,
    },

    /// A signal killed the child before its function returned.
    #[error("the child was killed by {} before its function returned", signal_name(*.signal))]
    Killed {
        /// The signal's number: 9 for `SIGKILL`.
        signal: i32,
    },

    /// The child has ended without a result, and it is not known how.
    #[error(
        "the child has ended, and nobody can say how: leave SIGCHLD at its default, and do not wait for \
         unknown children in this program (or its fork server was killed)"
    )]
    EndUnknown,

    /// The fork server has ended. It starts no more children.
    #[error("the fork server has ended and starts no more children: start another fork server")]
    ForkServerGone,

    /// The child could not call its function.
    #[error("it could not be started: {reason}")]
    Failed {
        /// Why.
        reason: String,
    },

    /// Nothing more comes, and nothing can be sent: the queue or the pool was closed, or every process that
    /// held the other end of the connection has closed it or ended.
    #[error(
        "it is closed: close was called on the queue or the pool, or every process that held the other end of the \
         connection has closed it or ended"
    )]
    Closed,

    /// It would have to wait: another thread or process holds the lock, no message has begun to
    /// arrive, or the queue has no room or is in use. What `try_…` returns, as [`std::sync::TryLockError::WouldBlock`].
    #[error("it would have to wait: the lock is held, nothing has come, or the queue has no room")]
    WouldBlock,

    /// The time was over before the lock was free, a message began to arrive, the queue had room,
    /// or the task was done. What `…_timeout` returns, as [`std::sync::mpsc::RecvTimeoutError::Timeout`].
    #[error(
        "the time is over: the lock was not free, nothing came, the queue had no room, or the task is not done"
    )]
    TimedOut,

    /// The sender ended in the middle of a long message. The part that arrived is dropped, and the
    /// next message is not affected. (Through a [`Client`](crate::Client), there is no next one.)
    #[error("the sender ended in the middle of a message: {received} of {length} bytes arrived")]
    Unfinished {
        /// How many bytes arrived.
        received: u64,
        /// How many bytes the message has.
        length: u64,
    },

    /// The buffer is too short for the next message, which can still be received.
    #[error(
        "the next message has {length} bytes, more than the buffer holds; it can still be received"
    )]
    BufferTooShort {
        /// How many bytes the message has.
        length: usize,
    },

    /// A process ended or a thread panicked while it held the lock. What the lock protects may be
    /// half changed.
    #[error(
        "a process ended, or a thread panicked, while it held the lock, so what it protects may be half \
         changed: repair it with lock_or_repair (a Lock or an RLock: acquire_or_repair)"
    )]
    OwnerDied,

    /// This thread already holds the [`Lock`](crate::Lock), so it would wait for itself.
    #[error("this thread already holds the lock: drop its guard first, or take an RLock")]
    AlreadyHeld,

    /// This thread already has a guard of this [`Value`](crate::Value) or [`Array`](crate::Array),
    /// so it would wait for itself.
    #[error(
        "this thread already has a guard of this Value or Array: drop it before the second lock() (in one \
         expression, such as f(*v.lock()?, *v.lock()?), both guards live to its end)"
    )]
    AlreadyLocked,

    /// The barrier is broken: a participant timed out or died, or called
    /// [`abort`](crate::Barrier::abort) or [`reset`](crate::Barrier::reset).
    #[error(
        "the barrier is broken: a wait timed out, a process died in it, or abort or reset was called; \
         Barrier::reset mends it"
    )]
    BrokenBarrier,

    /// The worker of a pool died while it ran the task: it was killed, or something in the task
    /// called `exit`. No other task is affected.
    #[error("the worker {pid} died while it ran this task: {}", end_of(*.exit_code))]
    WorkerDied {
        /// Its process id.
        pid: u32,
        /// Its exit status, or -9 for signal 9; `None` if that is not known.
        exit_code: Option<i32>,
    },

    /// The task of a pool ran longer than its time limit, and its worker was ended.
    #[error("the task ran longer than its time limit of {limit:?}, so its worker was ended")]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },

    /// The task of a pool was cancelled, or its pool was terminated.
    #[error("the task was cancelled, or its pool was terminated")]
    Cancelled,

    /// The workers of a pool end before they can take tasks, so the pool has given up.
    #[error("the pool has no workers, because they cannot start: {reason}")]
    PoolBroken {
        /// Why the last one ended.
        reason: String,
    },

    /// The server process of a manager has ended, and its objects with it.
    #[error("the manager's server process has ended, and its objects with it")]
    ManagerGone,

    /// An earlier call of this object in a manager panicked, so the object may be half changed.
    #[error(
        "an earlier call of this object panicked, so the object may be half changed: repair it with Shared::repair"
    )]
    Poisoned,

    /// The call came over a network, from where a manager's server calls only what has a name.
    #[error(
        "over a network, only functions that were registered under a name can be called: see \
         Manager::register_function and Shared::call_named"
    )]
    NotLocal,

    /// Nothing was registered under this name.
    #[error("nothing is registered under the name {name:?}")]
    NotRegistered {
        /// The name.
        name: String,
    },

    /// The two sides of a connection over a network did not show each other the same
    /// [`Key`](crate::Key). Python's `AuthenticationError`.
    #[error("the two sides have not shown each other the same key: {reason}")]
    Authentication {
        /// Which side, and what to do.
        reason: Cow<'static, str>,
    },

    /// A bounded semaphore was released more often than acquired.
    #[error("the semaphore already has all its {limit} permits: it was released once too often")]
    TooManyPermits {
        /// How many permits it was made with.
        limit: u32,
    },

    /// There is no element or byte with this index.
    #[error("index {index} is out of range: the length is {length}")]
    OutOfRange {
        /// The first index that does not exist.
        index: usize,
        /// How many elements or bytes there are.
        length: usize,
    },

    /// A system call failed.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: Cow<'static, str>,
        /// What the system said.
        #[serde(with = "system_error")]
        source: io::Error,
    },
}

/// Shows a variant with its fields.
macro_rules! structure {
    ($error:ident, $f:ident: $($variant:ident { $($field:ident),* })*) => {
        match $error {
            $(Error::$variant { $($field),* } => {
                $f.debug_struct(stringify!($variant))$(.field(stringify!($field), $field))*.finish()
            })*
        }
    };
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        structure! { self, f:
            NotInitialised {} Unsupported { reason } NotInExecutable {} Encode { what, reason }
            Decode { what, reason } Panicked { message, location } Exited { status }
            Killed { signal } EndUnknown {} ForkServerGone {} Failed { reason } Closed {} WouldBlock {} TimedOut {}
            Unfinished { received, length } BufferTooShort { length } OwnerDied {} AlreadyHeld {}
            AlreadyLocked {} BrokenBarrier {} WorkerDied { pid, exit_code } TimeLimit { limit } Cancelled {}
            PoolBroken { reason } ManagerGone {} Poisoned {} NotLocal {} NotRegistered { name }
            Authentication { reason } TooManyPermits { limit } OutOfRange { index, length }
            System { what, source }
        }
    }
}

impl Error {
    /// The refusal of what the system, too, would refuse, with the number of its error.
    #[cold]
    pub(crate) fn refused(what: impl Into<Cow<'static, str>>, number: i32) -> Self {
        Self::System { what: what.into(), source: io::Error::from_raw_os_error(number) }
    }
}

/// The signal's name; a real-time signal has only a number.
fn signal_name(signal: i32) -> String {
    match Signal::try_from(signal) {
        Ok(signal) => signal.to_string(),
        Err(_) => format!("signal {signal}"),
    }
}

fn end_of(exit_code: Option<i32>) -> String {
    match exit_code {
        Some(status @ 0..) => format!("it exited with status {status}"),
        Some(signal) => format!("it was killed by {}", signal_name(-signal)),
        None => "nobody can say how".into(),
    }
}

/// For `?` in a child's function that opens files and returns this crate's error.
impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::System { what: "complete a call".into(), source }
    }
}

/// Makes an error that says what was tried when a system call failed.
pub(crate) trait Trying<T> {
    fn trying_to(self, what: &'static str) -> Result<T, Error>;

    /// The same, for a text that is made only if it is needed.
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

/// An `io::Error` in a message: the number that the system gave it, or else its kind and text.
mod system_error {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::io::{Error, ErrorKind};

    /// The kinds of this crate's errors that have no number.
    const KINDS: [ErrorKind; 4] = [
        ErrorKind::Other,
        ErrorKind::InvalidInput, // a NUL in a string
        ErrorKind::UnexpectedEof,
        ErrorKind::WriteZero,
    ];

    pub fn serialize<S: Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or(0);
        (error.raw_os_error(), kind, error.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Error, D::Error> {
        let (number, kind, text) = <(Option<i32>, usize, String)>::deserialize(deserializer)?;
        Ok(match number {
            Some(number) => Error::from_raw_os_error(number),
            None => Error::new(*KINDS.get(kind).unwrap_or(&ErrorKind::Other), text),
        })
    }
}
