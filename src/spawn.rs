//! How a child starts: the program starts itself again, and the new process is
//! told over a socket which function to call with which arguments.
//!
//! | parent | child |
//! |---|---|
//! | makes a pair of sockets | |
//! | sends the `Request` and the arguments | |
//! | `posix_spawn` of `/proc/self/exe` | starts as any program does |
//! | | `init()` finds the mark, takes the socket |
//! | | reads the `Request`, calls the function |
//! | | sends the `Answer`, exits |
//! | waits for its end, reads the answer | |

mod child;
mod function;

pub(crate) use child::{answer_to, exit_now, outcome_of, set_name, take_socket_over};
pub use child::{current_process_name, init};

use crate::descriptor::Descriptor;
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::{Error, sys};
use function::Function;
use libc::{STDERR_FILENO, STDOUT_FILENO};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs};

/// Set by `init()`. Without it a child would run the parent's `main` again, and
/// start a child in turn.
static INITIALISED: AtomicBool = AtomicBool::new(false);

/// The variable that makes a process a child: it holds the parent's process id.
const MARK: &str = "MULTIPROCESSING_PARENT";

/// Where a child finds its socket.
const SOCKET: RawFd = 3;

/// Parent and child must speak alike; they do, unless a program links two
/// versions of this crate.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a child reads behind the version; the arguments follow.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    name: String,
    /// The parent, for a daemon.
    dies_with: Option<Descriptor>,
    /// Decodes the arguments, calls the function, encodes what it returns.
    entry: Function,
    function: Function,
}

/// What a child says before it exits. What the function returned follows
/// `Returned`.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Returned,
    Panicked {
        message: String,
        location: String,
    },
    /// The function was not called, or what it returned cannot be sent.
    Failed {
        reason: String,
    },
}

/// What a child gets beside its function.
#[derive(Debug, Default)]
pub struct Options {
    pub name: String,
    pub daemon: bool,
    pub environment: Vec<(OsString, OsString)>,
    pub directory: Option<PathBuf>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    /// Whether it gets a session of its own: then no terminal and no signal to this
    /// process's group reaches it.
    pub own_session: bool,
}

// ANCHOR: start
/// Starts a child that calls `f(args)`. Its answer comes through the channel.
pub fn start<A, R>(f: fn(A) -> R, args: &A, options: &Options) -> Result<(Pid, Channel), Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    let mut message = Message::default();
    push_request(&mut message, f, args, options)?;
    let (ours, theirs) = Channel::pair()?;
    ours.leave(message)?; // into the socket's buffer: nobody is waited for
    let program = program(options, theirs.as_fd())?;
    let started = program.start().map_err(|source| could_not_start(options, source));
    Ok((started?, ours))
}

/// What the child reads.
pub fn push_request<A, R>(
    message: &mut Message,
    f: fn(A) -> R,
    args: &A,
    options: &Options,
) -> Result<(), Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    if !INITIALISED.load(Ordering::Relaxed) {
        return Err(Error::NotInitialised);
    }
    if sys::has_rights_of_its_own() {
        return Err(Error::Unsupported { reason: "it runs set-user-ID".into() });
    }
    c_string(options.name.as_ref())?;
    message.push(&VERSION)?;
    message.push(&Request {
        entry: Function::of(child::call::<A, R> as *const ())?,
        function: Function::of(f as *const ())?,
        name: options.name.clone(),
        dies_with: options.daemon.then(this_process).transpose()?,
    })?;
    message.push(args)
}
// ANCHOR_END: start

/// The folder is what may be missing.
fn could_not_start(options: &Options, source: io::Error) -> Error {
    let folder = options.directory.as_ref();
    let what = folder.map(|folder| format!("start a child in {}", folder.display()));
    Error::System { what: what.map_or("start a child".into(), Into::into), source }
}

pub fn this_process() -> Result<Descriptor, Error> {
    let this = sys::pidfd_open(nix::unistd::getpid());
    Ok(this.trying_to("open this process for another one to watch")?.into())
}

/// This program once more: with its arguments, and with the mark.
fn program<'a>(options: &'a Options, socket: BorrowedFd<'a>) -> Result<sys::Program<'a>, Error> {
    let outputs = [(&options.stdout, STDOUT_FILENO), (&options.stderr, STDERR_FILENO)];
    let outputs =
        outputs.into_iter().filter_map(|(file, number)| Some((file.as_ref()?.as_fd(), number)));
    let directory =
        options.directory.as_ref().map(|path| c_string(path.as_os_str())).transpose()?;
    Ok(sys::Program {
        // In the new process before it has its new program: the same file, even if
        // its name is gone or means another by now.
        path: c"/proc/self/exe",
        arguments: env::args_os().map(|argument| c_string(&argument)).collect::<Result<_, _>>()?,
        environment: environment(&options.environment)?,
        directory,
        descriptors: outputs.chain([(socket, SOCKET)]).collect(),
        own_session: options.own_session,
    })
}

/// What the mark says: the parent, and the file of its program. Another program, which
/// the child starts before it comes to `init`, finds the mark too, and is not meant.
fn mark_of(parent: u32) -> Result<String, Error> {
    let program = fs::metadata("/proc/self/exe").trying_to("look at the program's own file")?;
    Ok(format!("{parent} {} {}", program.dev(), program.ino()))
}

/// That of this process, with the changes and the mark.
fn environment(changes: &[(OsString, OsString)]) -> Result<Vec<CString>, Error> {
    if let Some((name, _)) = changes.iter().find(|(name, _)| is_no_name(name)) {
        let what = format!("pass a variable with the name {name:?}");
        return Err(Error::refused(what, libc::EINVAL));
    }
    let mark = (OsString::from(MARK), OsString::from(mark_of(std::process::id())?));
    let mut variables: BTreeMap<OsString, OsString> = env::vars_os().collect();
    variables.extend(changes.iter().cloned().chain([mark]));
    let entry = |(name, value): (OsString, OsString)| {
        let mut entry = name;
        entry.push("=");
        entry.push(value);
        c_string(&entry)
    };
    variables.into_iter().map(entry).collect()
}

/// A variable's name ends at the first `=`.
fn is_no_name(name: &OsStr) -> bool {
    name.is_empty() || name.as_bytes().contains(&b'=')
}

/// For the system, a string ends at a NUL.
fn c_string(text: &OsStr) -> Result<CString, Error> {
    CString::new(text.as_bytes())
        .trying_to("pass a NUL in a name, a path, an argument or the environment")
}

/// Calls [`init`] before `main`, for programs whose `main` is not their own.
///
/// Write it once, outside of any function. Tests are the case it is made for:
/// with it, a `#[test]` may start processes. Without it, their children would run
/// all tests again, so [`Process::spawn`](crate::Process::spawn) returns
/// [`Error::NotInitialised`].
///
/// The price: the child's function runs before `main`, out of the table
/// `.init_array` that the system's loader goes through. Other libraries may not
/// have been set up yet, and what `main` does first (logging, signal handlers)
/// is not done in a child. Where `main` is yours, call [`init`] in it.
///
/// ```
/// multiprocessing::init_before_main!();
///
/// fn double(number: i32) -> i32 {
///     2 * number
/// }
///
/// // As in a `#[test]`: nobody calls `init()`.
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
            // SAFETY: the section holds pointers to functions of this type.
            #[used]
            #[unsafe(link_section = ".init_array")]
            static INIT: extern "C" fn() = init;
        };
    };
}
