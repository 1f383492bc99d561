//! A process that this program has started.

mod builder;
mod child;
mod fork_server;

pub use builder::ProcessBuilder;
pub use fork_server::ForkServer;

use crate::Error;
use crate::descriptor::descriptor_of_field;
use crate::pipe::Channel;
use crate::spawn::{Arguments, Options, ReturnValue};
use crate::sys::deadline::deadline;
use child::{Child, End};
use std::marker::PhantomData;
use std::time::Duration;

/// A child that runs one function: Python's `multiprocessing.Process`.
///
/// Dropping it does not wait for the child, which goes on. If the child is still running, the
/// drop starts a thread, which reaps the child when it ends. So a program that forks should
/// [`join`](Process::join) its children instead.
///
/// A process is ready for [`wait`](crate::wait()), and its descriptor is readable,
/// when it has ended: Python's `sentinel`.
///
/// What a child inherits and what happens at its end depend on how it was started:
///
/// | | [`spawn`](Process::spawn) | [`fork`](Process::fork) | [`ForkServer`] |
/// |---|---|---|---|
/// | begins as | this program, up to [`init`](crate::init) | a copy of this process | a copy of the server |
/// | memory | as at the program's start | the parent's, copied | the server's, copied |
/// | descriptors | none but those below, and those in the arguments | all, also with `FD_CLOEXEC` | as `spawn` |
/// | standard input | empty (`/dev/null`) | the parent's | empty (`/dev/null`) |
/// | standard output and error | the parent's | the parent's | the parent's when the server was started |
/// | environment, folder | the parent's | the parent's | the parent's when the server was started |
/// | blocked signals | none | the parent's | none |
/// | ignored signals | the parent's, without `SIGCHLD` | the parent's | the parent's when the server was started, without `SIGCHLD` |
/// | signal handlers | none | the parent's | none |
/// | arguments of the program | the parent's | the parent's | the parent's |
/// | threads | one | one | one |
/// | threads that it has started, at its end | end with it | end with it | end with it |
/// | exit handlers, destructors of thread-locals | run | do not run | do not run |
///
/// A [`ProcessBuilder`] changes environment, folder and outputs. A daemon has a second thread. In
/// every child, what the function owns is dropped when it returns. In Python, a child waits for
/// its threads before it ends.
#[derive(Debug)]
#[must_use = "the child goes on alone when its handle is dropped: join it"]
pub struct Process<R> {
    name: String,
    daemon: bool,
    child: Child,
    answers: Channel,
    returns: PhantomData<fn() -> R>,
}

impl Process<()> {
    /// Starts to describe a child with a name, another folder or another environment, or one that
    /// ends with its parent.
    pub fn builder() -> ProcessBuilder {
        ProcessBuilder::default()
    }
}

impl<R: ReturnValue> Process<R> {
    /// Starts a process that calls `f(args)`: Python's `Process(target=f, args=args)` and `start()`
    /// in one.
    ///
    /// The child is a new process, which runs this program from the start up to
    /// [`init`](crate::init). It shares nothing with its parent except what is in `args`: see
    /// [`Arguments`]. Pass several arguments as a tuple. `f` is a function, or a closure that
    /// captures nothing; what it needs must be in `args`.
    ///
    /// # Errors
    ///
    /// Before anything is started: [`Error::NotInitialised`] without
    /// [`init`](crate::init); [`Error::Unsupported`] in a program that has more rights than the
    /// user who started it (set-user-ID), was started through ld.so(8), or has called
    /// `unshare(CLONE_NEWPID)`; [`Error::NotInExecutable`] for a function of a shared
    /// library; [`Error::Encode`] for arguments that cannot be serialised, leave a
    /// field out (`skip_serializing_if`), or hold more than 251 descriptors.
    /// [`Error::System`] if the system cannot start a process or has no descriptors left.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let sum = Process::spawn(|(a, b)| a + b, (20, 22))?;
    ///     let greeting = Process::spawn(greet, "Bob")?;
    ///     assert_eq!(sum.join()?, 42);
    ///     assert_eq!(greeting.join()?, "hello, Bob");
    ///     Ok(())
    /// }
    ///
    /// fn greet(name: &str) -> String {
    ///     format!("hello, {name}")
    /// }
    /// ```
    pub fn spawn<A: Arguments>(f: fn(A) -> R, args: A) -> Result<Self, Error> {
        ProcessBuilder::default().spawn(f, args)
    }

    /// Starts a child that is a copy of this process and calls `f`: Python's start method fork. `f`
    /// may capture anything, and changes only the child's copy of it. Rust's `stdout` is flushed
    /// first, so that nothing is printed twice.
    ///
    /// The child inherits every open descriptor of this process, so the reader of a pipe may never
    /// see its end. The standard input, too, is the parent's, and both read from it. (A child of
    /// [`spawn`](Process::spawn) has `/dev/null`.) When `f` has returned or panicked, the child
    /// ends by `_exit`, so no destructor runs in it for what the parent owns. It needs no
    /// [`init`](crate::init).
    ///
    /// # Safety
    ///
    /// The calling process must have one thread. The child of a program with threads may call only
    /// what signal-safety(7) lists, and this function calls more: a lock that another thread holds
    /// now is never released in the child, and what it protects may be half changed. In a program
    /// with threads, use [`spawn`](Process::spawn) or a [`ForkServer`].
    ///
    /// Nor may the calling process hold the lock of an [`Array`](crate::Array) or a
    /// [`Value`](crate::Value): the child would have a copy of the guard, and both processes could
    /// change the same memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system cannot start a process or has no descriptors left.
    ///
    /// # Example
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     let numbers = vec![1, 2, 3];
    ///     // SAFETY: this program has one thread.
    ///     let child = unsafe { Process::fork(|| numbers.iter().sum::<i32>()) }?;
    ///     assert_eq!(child.join()?, 6);
    ///     Ok(())
    /// }
    /// ```
    pub unsafe fn fork(f: impl FnOnce() -> R) -> Result<Self, Error> {
        // SAFETY: as the caller promises.
        unsafe { ProcessBuilder::default().fork(f) }
    }

    /// Waits until the child has ended, and returns what its function returned.
    ///
    /// Python's `join()` does not return it; there, the result needs a queue. Here the child never
    /// waits for its parent to take the result, whatever its size. If the function itself returns
    /// a `Result<T, multiprocessing::Error>`, write `join()??`.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked; [`Error::Exited`] if something in it called
    /// `exit`; [`Error::Killed`] if a signal killed the child; [`Error::Decode`] if the child could
    /// not decode the arguments; [`Error::Encode`] if it could not encode the result;
    /// [`Error::System`] if it could not send the result, or could not do what the
    /// [`ProcessBuilder`] says; [`Error::Failed`] if it found threads in [`init`](crate::init);
    /// [`Error::EndUnknown`] if there is no result and another part of the program has reaped the
    /// child. If the child is killed after it has sent the result, `join` returns the result.
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
    pub fn join(self) -> Result<R, Error> {
        self.wait();
        self.take_result()
    }

    /// The result of a child that has ended. There is one only once.
    pub(crate) fn take_result(&self) -> Result<R, Error> {
        // If there is an answer, it was sent before the child ended. It is here even if another
        // part of the program has reaped the child.
        let mut answer = match self.answers.try_receive() {
            Ok(Some(answer)) => answer,
            Ok(None) | Err(Error::Closed) => {
                return Err(self.child.end().unwrap_or(End::Unknown).into_error());
            }
            Err(error) => return Err(error),
        };
        answer.take::<Result<(), Error>>()??;
        answer.take_last()
    }
}

impl<R> Process<R> {
    fn new(options: Options, child: Child, answers: Channel) -> Self {
        let Options { name, daemon, .. } = options;
        Self { name, daemon, child, answers, returns: PhantomData }
    }

    /// Waits until the child has ended. [`join`](Process::join) still returns the result.
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|n: i32| 2 * n, 21)?;
    ///     child.wait();
    ///     assert_eq!(child.exit_code(), Some(0));
    ///     assert_eq!(child.join()?, 42);
    ///     Ok(())
    /// }
    /// ```
    pub fn wait(&self) {
        while !self.child.wait_until(None) {} // again if the system has no memory for poll(2)
    }

    /// Waits until the child has ended, but no longer than `timeout` (of the monotonic clock), and
    /// returns whether it has ended. Python's `join(timeout)` returns nothing; there, look at
    /// `exitcode`.
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| -> () { loop { std::thread::park() } }, ())?;
    ///     if !child.wait_timeout(Duration::from_millis(10)) {
    ///         child.kill()?;
    ///     }
    ///     assert!(matches!(child.join(), Err(Error::Killed { signal: 9 })));
    ///     Ok(())
    /// }
    /// ```
    #[must_use = "the child may still run"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.child.wait_until(deadline(timeout))
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

    /// The child's name: the one given to the [`ProcessBuilder`], or `Process-N` for the Nth child
    /// without one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is killed when this process has ended: [`ProcessBuilder::daemon`].
    pub fn daemon(&self) -> bool {
        self.daemon
    }

    /// Whether the child has not ended yet.
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| (), ())?;
    ///     child.wait();
    ///     assert!(!child.is_alive());
    ///     child.join()
    /// }
    /// ```
    pub fn is_alive(&self) -> bool {
        !self.child.has_ended()
    }

    /// How the child ended, as one number: its exit status, or -9 for signal 9. Python's
    /// `exitcode`. `None` if the child is still running, or if this is not known: another part of
    /// the program has reaped it, or its fork server was killed.
    ///
    /// The exit status is 0 if the child's function returned, and 101 if it panicked (in Python 1).
    pub fn exit_code(&self) -> Option<i32> {
        match self.child.end()? {
            End::Exited(status) => Some(status),
            End::Killed(signal) => Some(-signal),
            End::Unknown => None,
        }
    }

    /// Asks the child to end, by `SIGTERM`, which ends it unless it handles that signal. The child
    /// does not clean up: no destructor runs, and its own children go on.
    ///
    /// The signal reaches this child and no other process, even one that has got its id since. If
    /// the child has already ended, this does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if this process may not send a signal to the child, which has become
    /// another user's (by a program with set-user-ID).
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(libc::SIGTERM)
    }

    /// Kills the child, by `SIGKILL`, which no program can handle. In all else this is
    /// [`terminate`](Process::terminate).
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate).
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(libc::SIGKILL)
    }

    /// Interrupts the child, by `SIGINT`, as Ctrl-C does. In all else this is
    /// [`terminate`](Process::terminate). Python has it since 3.14.
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate).
    pub fn interrupt(&self) -> Result<(), Error> {
        self.signal(libc::SIGINT)
    }

    /// Sends any signal by its number (signal(7)), such as `libc::SIGUSR1`. In all else this is
    /// [`terminate`](Process::terminate).
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate), and [`Error::System`] for a number that is not a
    /// signal's.
    ///
    /// ```
    /// use multiprocessing::{Error, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let child = Process::spawn(|()| -> () { loop { std::thread::park() } }, ())?;
    ///     child.signal(10)?; // SIGUSR1
    ///     child.wait();
    ///     assert_eq!(child.exit_code(), Some(-10));
    ///     assert!(child.signal(1000).is_err());
    ///     Ok(())
    /// }
    /// ```
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        self.child.signal(number)
    }
}

descriptor_of_field!([R] Process<R>, child, /// Readable when the child has ended.
);
