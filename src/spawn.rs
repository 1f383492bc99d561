//! How a child starts: the program starts itself again, and tells the new process over a socket
//! which function to call with which arguments.
//!
//! | parent | child |
//! |---|---|
//! | makes a pair of sockets | |
//! | sends the `Request` and the arguments | |
//! | `posix_spawn` of `/proc/self/exe` | starts as any program does |
//! | | `init()` finds the mark and takes the socket |
//! | | reads the `Request`, calls the function |
//! | | sends the `Answer` and exits |
//! | waits for its end and reads the answer | |
//!
//! A kill between any two steps is harmless. Each message is in the socket as a whole or not at
//! all, and neither side waits for the other to write. If the parent is killed before
//! `posix_spawn`, there is no child. If it is killed later, the request is already in the socket:
//! the child does its work, and nobody reads the answer. If the child is killed before it
//! answers, the parent finds the socket closed and asks the system how the child ended. If the
//! child is killed after that, the parent finds the answer.

mod answer;
mod child;
mod current;
mod function;
mod mark;
mod request;
mod setup;
mod values;

pub(crate) use answer::{Answer, catch, exit_now, wait_for_threads};
pub use child::init;
pub(crate) use child::take_socket_over;
pub use current::{CurrentProcess, ParentProcess, current_process, parent_process};
pub(crate) use current::{Identity, this_process};
pub(crate) use function::Function;
pub(crate) use request::{push_request, run_request};
pub(crate) use setup::Setup;
pub use values::{Arguments, ReturnValue, TaskArguments};

use crate::pipe::{Channel, Message};
use crate::{Error, sys};
use child::{INITIALISED, SOCKET};
use libc::{STDERR_FILENO, STDOUT_FILENO};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use setup::c_string;
use std::borrow::Cow;
use std::env;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a child gets besides its function and arguments.
#[derive(Debug, Default)]
pub struct Options {
    /// If it is empty, the child gets a number.
    pub name: String,
    pub daemon: bool,
    pub setup: Setup,
    /// The signals that are blocked in the child from its first instruction on.
    pub blocked: &'static [Signal],
    /// Whether it gets a session of its own, which no terminal's signal and no signal to this
    /// process's group reaches.
    pub own_session: bool,
}

impl Options {
    /// Gives the child its name, and refuses what it could not start with. `Process-1` is this
    /// process's first child without a name.
    pub fn checked(mut self) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        c_string(self.name.as_ref())?;
        self.setup.check()?;
        if self.name.is_empty() {
            self.name = format!("Process-{}", 1 + COUNT.fetch_add(1, Ordering::Relaxed));
        }
        Ok(self)
    }

    pub fn identity(&self) -> Result<Identity, Error> {
        Identity::new(&self.name, self.daemon)
    }
}

// ANCHOR: start
/// Starts a child that calls `f(args)`. Its answer comes through the channel.
pub fn start<A: Arguments, R: ReturnValue>(
    f: fn(A) -> R,
    args: &A,
    options: &Options,
) -> Result<(Pid, Channel), Error> {
    check_program()?;
    let mut message = Message::default();
    push_request(&mut message, f, args, &options.identity()?)?;
    let (ours, theirs) = Channel::pair()?;
    ours.post(message)?; // into the socket's buffer: no wait for the child
    let program = program(options, theirs.as_fd())?;
    let started = program.start().map_err(|source| start_error(options, source));
    Ok((started?, ours))
}
// ANCHOR_END: start

/// Checks that the new process would reach its `init()` and find this process.
fn check_program() -> Result<(), Error> {
    if !INITIALISED.load(Ordering::Relaxed) {
        return Err(Error::NotInitialised);
    }
    let reason = if sys::has_rights_of_its_own() {
        "it has more rights than whoever started it (set-user-ID, or capabilities of its file)"
    } else if sys::was_started_by_loader() {
        "it was started through ld.so, which children would run instead of it: start the program itself"
    } else if sys::children_are_in_another_namespace() {
        "its children would be in another PID namespace and not find it there: call unshare(CLONE_NEWPID) in a \
         process that starts this program as its child (unshare --pid --fork)"
    } else {
        return Ok(());
    };
    Err(Error::Unsupported { reason: reason.into() })
}

/// Names the folder, which may be missing.
fn start_error(options: &Options, source: io::Error) -> Error {
    let folder = options.setup.directory.as_ref();
    let what = folder.map(|folder| format!("start a child in {}", folder.display()));
    Error::System { what: what.map_or("start a child".into(), Cow::from), source }
}

/// This program again, with the same arguments, and with the mark.
fn program<'a>(options: &'a Options, socket: BorrowedFd<'a>) -> Result<sys::Program<'a>, Error> {
    let setup = &options.setup;
    let outputs = [(&setup.stdout, STDOUT_FILENO), (&setup.stderr, STDERR_FILENO)];
    let outputs =
        outputs.into_iter().filter_map(|(file, number)| Some((file.as_ref()?.as_fd(), number)));
    Ok(sys::Program {
        // This is this program's own file, even if its name is gone or now means another file.
        path: c"/proc/self/exe",
        arguments: env::args_os().map(|argument| c_string(&argument)).collect::<Result<_, _>>()?,
        environment: setup.environment_with(mark::entry()?)?,
        directory: setup.directory.as_deref().map(c_string).transpose()?,
        descriptors: outputs.chain([(socket, SOCKET)]).collect(),
        blocked: options.blocked,
        own_session: options.own_session,
    })
}

/// Calls [`init`] before `main`, for programs whose `main` is not yours.
///
/// Write it once, outside of any function. It is made for tests: with it, a `#[test]` may start
/// processes. Without it, their children would run all tests again, so
/// [`Process::spawn`](crate::Process::spawn) returns [`Error::NotInitialised`].
///
/// It has a price. The child's function runs before `main`, when the system's loader calls the
/// functions of the table `.init_array`. Other libraries may not have been set up yet, and what
/// `main` does first (logging, signal handlers) is not done in a child. Nor is what Rust does
/// before `main`: if the parent's standard output is closed, it stays closed in the child, and
/// the first file that the child opens may get its number. In `main`, it would be `/dev/null`. If
/// `main` is yours, call [`init`] in it.
///
/// ```
/// multiprocessing::init_before_main!();
///
/// fn double(number: i32) -> i32 {
///     2 * number
/// }
///
/// // As in a `#[test]`, nothing calls `init()`.
/// fn main() -> Result<(), multiprocessing::Error> {
///     assert_eq!(multiprocessing::Process::spawn(double, 21)?.join()?, 42);
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! init_before_main {
    () => {
        const _: () = {
            extern "C" fn init() {
                $crate::init();
            }
            // SAFETY: the loader calls each pointer in this section, before `main`, as a C
            // function; extra arguments are ignored. `init` is one, and it does not unwind.
            #[used]
            #[unsafe(link_section = ".init_array")]
            static INIT: extern "C" fn() = init;
        };
    };
}
