//! The child's side of a spawn.

use super::function::Function;
use super::{Answer, INITIALISED, MARK, Request, SOCKET, VERSION};
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::{Error, sys};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::exit;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::{env, fs, mem, thread};

/// As a panic in the main thread of a Rust program.
const PANIC_STATUS: i32 = 101;
const FAILURE_STATUS: i32 = 1;

/// Makes this program one that can start processes. Write it as the first line
/// of `main`.
///
/// In the program that you start, it returns at once. In a child that
/// [`Process::spawn`](crate::Process::spawn) has started, it calls the child's
/// function and never returns: so what stands below it in `main` happens once, and
/// what stands above it happens in every process.
///
/// It answers to Python's `if __name__ == "__main__":`, which keeps a child that
/// imports the file from running it as a program.
///
/// A program that runs with more rights than those who started it (set-user-ID)
/// takes no orders: there `init()` always returns, and such a program cannot
/// start processes of this crate.
///
/// Call it before any thread is started: it changes the environment, which no
/// other thread may read meanwhile. `#[tokio::main]` starts threads before the
/// first line of `main`; write a plain `main` that calls `init()` and then builds
/// the runtime. A child that finds other threads refuses to start, and the
/// parent's `join` says so. Where `main` is not yours, see
/// [`init_before_main!`](crate::init_before_main).
///
/// ```
/// use multiprocessing::{Error, Process};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     let child = Process::spawn(greet, "world".to_string())?;
///     assert_eq!(child.join()?, "hello, world");
///     Ok(())
/// }
///
/// fn greet(name: String) -> String {
///     format!("hello, {name}")
/// }
/// ```
pub fn init() {
    INITIALISED.store(true, Ordering::Relaxed);
    if let Some(channel) = channel_to_parent() {
        exit(run(&channel));
    }
}

// ANCHOR: channel_to_parent
/// The socket, if this process was started by `spawn`: marked, and connected to
/// the process that the mark names.
fn channel_to_parent() -> Option<Channel> {
    if sys::has_rights_of_its_own() {
        return None; // whoever starts such a program must not say what it calls
    }
    let parent: i32 = env::var(MARK).ok()?.parse().ok()?;
    // SAFETY: it is borrowed for two calls that take any number.
    let socket = unsafe { BorrowedFd::borrow_raw(SOCKET) };
    let peer = getsockopt(&socket, PeerCredentials).ok()?;
    if peer.pid() != parent {
        return None;
    }
    // What this process starts must not have the socket.
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    // SAFETY: spawn left it here for this function, which takes it once: the mark
    // is removed before anything else runs.
    Some(Channel::from(unsafe { OwnedFd::from_raw_fd(SOCKET) }))
}
// ANCHOR_END: channel_to_parent

/// What the parent is told, and the exit status.
pub struct Outcome {
    answer: Message,
    status: i32,
}

/// Does what the parent asks for; returns the exit status.
fn run(channel: &Channel) -> i32 {
    let asked = match channel.receive() {
        Ok(None) => return FAILURE_STATUS, // the parent has gone
        asked => asked,
    };
    let message = asked.map(Option::unwrap_or_default);
    let outcome = message.and_then(obey).unwrap_or_else(|error| Outcome::failed(&error));
    match channel.send(outcome.answer) {
        Ok(()) => outcome.status,
        // No memory for a large result, say. A parent that has gone, or has dropped
        // its handle, does not hear that either.
        Err(error) => {
            let _ = channel.send(Outcome::failed(&error).answer);
            FAILURE_STATUS
        }
    }
}

fn obey(mut message: Message) -> Result<Outcome, Error> {
    let version: String = message.take()?;
    if version != VERSION {
        let reason =
            format!("the parent has version {version} of multiprocessing, the child {VERSION}");
        return Err(Error::Failed { reason });
    }
    take_mark_off()?;
    let request: Request = message.take()?;
    // SAFETY: it is the address of a `call`: the parent runs the same executable,
    // with the same version of this crate, and counted it from the same place.
    let entry: Entry = unsafe { mem::transmute(request.entry.address()?) };
    // SAFETY: the parent sent a function of the types of this `call`.
    Ok(unsafe { entry(request.function, message) })
}

/// A grandchild must not take itself for a child of this process's parent.
fn take_mark_off() -> Result<(), Error> {
    let threads = fs::read_dir("/proc/self/task").trying_to("count the threads")?.count();
    if threads > 1 {
        let reason = format!(
            "init() found {threads} threads: call it before any thread is started (with tokio, write a \
             plain main that calls init() and then builds the runtime)"
        );
        return Err(Error::Failed { reason });
    }
    // SAFETY: no other thread is there to read the environment.
    unsafe { env::remove_var(MARK) };
    Ok(())
}

type Entry = unsafe fn(Function, Message) -> Outcome;

/// The entry of a child: one for each pair of types, found by its address.
///
/// # Safety
///
/// `function` was made of an `fn(A) -> R`.
pub unsafe fn call<A: DeserializeOwned, R: Serialize>(
    function: Function,
    args: Message,
) -> Outcome {
    panic::set_hook(noting_hook());
    let done = panic::catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as the caller promises.
        unsafe { answer::<A, R>(function, args) }
    }));
    match done {
        Ok(Ok(answer)) => Outcome { answer, status: 0 },
        Ok(Err(error)) => Outcome::failed(&error),
        Err(payload) => {
            let location = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
            let location = location.unwrap_or_else(|| "an unknown place".to_string());
            Outcome::new(&Answer::Panicked { message: text_of(&*payload), location }, PANIC_STATUS)
        }
    }
}

/// # Safety
///
/// `f` was made of an `fn(A) -> R`.
unsafe fn answer<A: DeserializeOwned, R: Serialize>(
    f: Function,
    args: Message,
) -> Result<Message, Error> {
    // SAFETY: it is the address of an `fn(A) -> R`, as the caller promises.
    let f: fn(A) -> R = unsafe { mem::transmute(f.address()?) };
    let result = f(args.take_last()?);
    let mut message = Message::default();
    message.push(&Answer::Returned)?;
    message.push(&result)?;
    Ok(message)
}

impl Outcome {
    fn failed(error: &Error) -> Self {
        Self::new(&Answer::Failed { reason: error.to_string() }, FAILURE_STATUS)
    }

    fn new(answer: &Answer, status: i32) -> Self {
        let mut message = Message::default();
        // Strings are encoded without fail; if not, the parent sees the status.
        let _ = message.push(answer);
        Self { answer: message, status }
    }
}

/// Where the function panicked: a hook sees it, `catch_unwind` does not.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Notes the place of a panic in this thread, and prints it as before.
fn noting_hook() -> Box<dyn Fn(&PanicHookInfo) + Send + Sync> {
    let (before, this) = (panic::take_hook(), thread::current().id());
    Box::new(move |info| {
        if thread::current().id() == this {
            let location = info.location().map(ToString::to_string);
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = location;
        }
        before(info);
    })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_string()
}
