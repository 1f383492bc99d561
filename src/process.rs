//! A process that this program has started.

mod builder;
mod child;
mod fork_server;

pub use builder::ProcessBuilder;
pub use fork_server::ForkServer;

use crate::Error;
use crate::pipe::Channel;
use crate::spawn::{Arguments, Options, ReturnValue};
use child::{Child, End};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// A child that runs one function, as Python's `multiprocessing.Process`.
///
/// Dropping it does not wait for the child, which goes on; when it ends, it is
/// reaped at once, by a thread that the drop starts if the child still runs. So a
/// program that forks should [`join`](Process::join) its children instead.
///
/// A process is ready for [`wait`](crate::wait()), and its descriptor is readable,
/// when it has ended: Python's `sentinel`.
///
/// What a child inherits, and what happens at its end, depends on how it is started:
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
/// | threads of its own, at its end | end with it | end with it | end with it |
/// | exit handlers, destructors of thread-locals | run | do not run | do not run |
///
/// A [`ProcessBuilder`] changes environment, folder and outputs. A daemon has one thread
/// more. What the function owns is dropped in every child when it returns. In Python, a
/// child waits at its end for its threads.
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
    /// A child with a name, another folder, another environment, or one that ends
    /// with its parent.
    pub fn builder() -> ProcessBuilder {
        ProcessBuilder::default()
    }
}

impl<R: ReturnValue> Process<R> {
    /// Starts a process that calls `f(args)`: Python's `Process(target=f,
    /// args=args)` and `start()` in one.
    ///
    /// The child is a new process that runs this program from the start, up to
    /// [`init`](crate::init). It shares nothing with its parent but what travels in
    /// `args`: see [`Arguments`]. Several arguments are passed as a tuple. `f` is a
    /// function, or a closure that captures nothing; what it needs must be in `args`.
    ///
    /// # Errors
    ///
    /// Before anything is started: [`Error::NotInitialised`] without
    /// [`init`](crate::init); [`Error::Unsupported`] in a program that has more rights than
    /// whoever started it (set-user-ID), was started through ld.so(8), or has called
    /// `unshare(CLONE_NEWPID)`; [`Error::NotInExecutable`] for a function of a shared
    /// library; [`Error::Encode`] for arguments that cannot be serialised, leave a
    /// field out (`skip_serializing_if`), or hold more than 251 descriptors.
    /// [`Error::System`] if the system starts no process or has no descriptors left.
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

    /// Starts a child as a copy of this process, which calls `f`: Python's start
    /// method fork. `f` may capture anything; what it changes, it changes in the
    /// child's copy. Rust's `stdout` is flushed first, so that nothing is printed
    /// twice.
    ///
    /// The child inherits every open descriptor of this process, so a pipe may never
    /// come to its end. Its standard input, too, is the parent's: both read from the same
    /// file or terminal, where a child of [`spawn`](Process::spawn) has `/dev/null`. It
    /// ends by `_exit` when `f` has returned or panicked: no destructor runs in it for
    /// what the parent owns. It needs no [`init`](crate::init).
    ///
    /// # Safety
    ///
    /// The calling process has one thread. The child of a program with threads may
    /// call only what signal-safety(7) lists, and this function calls more: a lock
    /// that another thread holds now is never released in the child, and what it
    /// protects may be half changed. A program with threads uses
    /// [`spawn`](Process::spawn) or a [`ForkServer`].
    ///
    /// And the calling process holds no lock of an [`Array`](crate::Array) or a
    /// [`Value`](crate::Value): the child would have a copy of the guard, and both
    /// could change the same memory.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if the system starts no process or has no descriptors left.
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

    /// Waits until the child has ended; returns what its function returned.
    ///
    /// Python's `join()` does not return it; there a queue must bring it back.
    /// Here a result of any size is there when the child has ended: the child never
    /// waits for its parent. If the function itself returns a
    /// `Result<T, multiprocessing::Error>`, write `join()??`.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`] if the function panicked; [`Error::Exited`] if something
    /// in it called `exit`; [`Error::Killed`] if a signal killed it;
    /// [`Error::Decode`] if the child could not decode the arguments, [`Error::Encode`] if
    /// it could not encode the result, [`Error::System`] if it could not send it, or not
    /// become what the [`ProcessBuilder`] says; [`Error::Failed`] if it found threads in
    /// [`init`](crate::init); [`Error::EndUnknown`] if there is no result and another part
    /// of the program has reaped the child. A child that is killed after its function
    /// returned and the result was sent gives the result.
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
        // The answer was sent before the child ended, or never will be. It is there
        // even if another part of the program has reaped the child.
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

    /// Waits until the child has ended, and takes nothing: [`join`](Process::join) still
    /// returns the result.
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
        while !self.child.wait_until(None) {} // the system has no memory for poll(2)
    }

    /// Waits until the child has ended, but no longer than `timeout`, by the monotonic
    /// clock; returns whether it has ended. Python's `join(timeout)`, which returns
    /// nothing: there, `exitcode` must be asked.
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
        // A time that the clock cannot hold is for ever.
        self.child.wait_until(Instant::now().checked_add(timeout))
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

    /// The child's name: what the [`ProcessBuilder`] was told, or `Process-N` for the Nth
    /// child.
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

    /// How the child ended, in one number as Python's `exitcode`: its exit status,
    /// or -9 for signal 9. `None` if it still runs, or if it is not known: another part of
    /// the program has reaped it, or its fork server was killed.
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
    /// given to another. A child that has ended already is no error.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if this process may not send a signal to the child: it is another
    /// user's by now (a program with set-user-ID).
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(libc::SIGTERM)
    }

    /// Ends the child, by `SIGKILL`, which no program can handle; otherwise as
    /// [`terminate`](Process::terminate).
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate).
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(libc::SIGKILL)
    }

    /// Interrupts the child, by `SIGINT`, as Ctrl-C does; otherwise as
    /// [`terminate`](Process::terminate). Python 3.14 has it, too.
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate).
    pub fn interrupt(&self) -> Result<(), Error> {
        self.signal(libc::SIGINT)
    }

    /// Sends any signal by its number (signal(7)), such as `libc::SIGUSR1`; otherwise as
    /// [`terminate`](Process::terminate).
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Process::terminate), and [`Error::System`] for a number that
    /// no signal has.
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

impl<R> AsFd for Process<R> {
    /// Readable when the child has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.pidfd().as_fd()
    }
}

impl<R> AsRawFd for Process<R> {
    fn as_raw_fd(&self) -> RawFd {
        self.child.pidfd().as_raw_fd()
    }
}
