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

pub use child::init;

use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::{Error, sys};
use function::Function;
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::env;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicBool, Ordering};

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

// ANCHOR: start
/// Starts a child that calls `f(args)`. Its answer comes through the channel.
pub fn start<A, R>(f: fn(A) -> R, args: &A) -> Result<(Pid, Channel), Error>
where
    A: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    if !INITIALISED.load(Ordering::Relaxed) {
        return Err(Error::NotInitialised);
    }
    let mut message = Message::default();
    message.push(&VERSION)?;
    message.push(&Request {
        entry: Function::of(child::call::<A, R> as *const ())?,
        function: Function::of(f as *const ())?,
    })?;
    message.push(args)?;
    let (ours, theirs) = Channel::pair()?;
    ours.send(message)?; // into the socket's buffer: nobody is waited for
    let [program, arguments, environment] = program()?;
    let pid = sys::start(&program[0], &arguments, &environment, theirs.as_fd(), SOCKET);
    Ok((pid.trying_to("start a child")?, ours))
}
// ANCHOR_END: start

/// This program, its arguments, and its environment with the mark.
fn program() -> Result<[Vec<CString>; 3], Error> {
    let mark = (OsString::from(MARK), OsString::from(std::process::id().to_string()));
    let others = env::vars_os().filter(|(name, _)| name != MARK);
    let environment = others.chain([mark]).map(|(name, value)| {
        let [name, value] = [name, value].map(OsString::into_vec);
        CString::new([name, value].join(&b'='))
    });
    let arguments = env::args_os().map(|argument| CString::new(argument.into_vec()));
    let strings = || -> Result<_, std::ffi::NulError> {
        // In the new process before it has its new program: the same file, even
        // if its name is gone or means another by now.
        let program = vec![c"/proc/self/exe".to_owned()];
        Ok([program, arguments.collect::<Result<_, _>>()?, environment.collect::<Result<_, _>>()?])
    };
    strings().trying_to("pass on the environment")
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
