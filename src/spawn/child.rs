//! The child's side of a spawn.

use super::function::Function;
use super::{Answer, INITIALISED, MARK, Request, SOCKET, VERSION, mark_of};
use crate::descriptor::Descriptor;
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::wait::wait_until;
use crate::{Error, sys};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, dup3_raw, getpid};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::ffi::CString;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::parent_id;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::exit;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;
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
/// takes no orders: there `init()` always returns, and to start a process is an
/// error ([`Error::SetUserId`](crate::Error::SetUserId)).
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
    let mark = env::var(MARK).ok()?;
    let parent: u32 = mark.split(' ').next()?.parse().ok()?;
    if mark != mark_of(parent).ok()? {
        return None; // of another program
    }
    // SAFETY: it is borrowed for two calls that take any number.
    let socket = unsafe { BorrowedFd::borrow_raw(SOCKET) };
    let peer = getsockopt(&socket, PeerCredentials).ok()?;
    if peer.pid() != parent as i32 || !is_child_of(parent) {
        return None;
    }
    // What this process starts must not have the socket.
    fcntl(socket, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
    // SAFETY: spawn left it here for this function, which takes it once: the mark
    // is removed before anything else runs.
    Some(Channel::from(unsafe { OwnedFd::from_raw_fd(SOCKET) }))
}
// ANCHOR_END: channel_to_parent

/// A copy of the program that a child starts above its `init()` has the mark and the
/// socket, but it is the child of a child. (A parent that has ended has no children, and
/// may still be a zombie. Its end is seen a moment after the child has another parent.)
fn is_child_of(parent: u32) -> bool {
    let has_ended = |parent: OwnedFd| wait_until(parent.as_fd(), Some(MOMENT));
    let parent_has_ended = || sys::pidfd_open(Pid::from_raw(parent as i32)).map_or(true, has_ended);
    parent_id() == parent || parent_has_ended()
}

const MOMENT: Duration = Duration::from_secs(1);

/// What the parent is told, and the exit status.
pub struct Outcome {
    answer: Message,
    status: i32,
}

/// Does what the parent asks for; returns the exit status.
fn run(channel: &Channel) -> i32 {
    let asked = match channel.receive() {
        Err(Error::Closed) => return FAILURE_STATUS, // the parent has gone
        asked => asked,
    };
    let request = asked.and_then(|request| take_mark_off().map(|()| request));
    answer_to(request, channel)
}

/// Calls the function that a request names, and sends what it returned; returns
/// the exit status.
pub fn answer_to(request: Result<Message, Error>, channel: &Channel) -> i32 {
    request.and_then(obey).unwrap_or_else(|error| Outcome::failed(&error)).send(channel)
}

fn obey(mut message: Message) -> Result<Outcome, Error> {
    let version: String = message.take()?;
    if version != VERSION {
        let reason =
            format!("the parent has version {version} of multiprocessing, the child {VERSION}");
        return Err(Error::Failed { reason });
    }
    let request: Request = message.take()?;
    set_name(request.name);
    if let Some(parent) = request.dies_with {
        die_with(parent)?;
    }
    // SAFETY: it is the address of a `call`: the parent runs the same executable,
    // with the same version of this crate, and counted it from the same place.
    let entry: Entry = unsafe { mem::transmute(request.entry.address()?) };
    // SAFETY: the parent sent a function of the types of this `call`.
    Ok(unsafe { entry(request.function, message) })
}

/// A grandchild must not take itself for a child of this process's parent.
fn take_mark_off() -> Result<(), Error> {
    let threads = count_threads().trying_to("count the threads")?;
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

/// Each thread has a folder there, and a folder has two links besides those.
fn count_threads() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/task")?.nlink().saturating_sub(2))
}

static NAME: Mutex<&'static str> = Mutex::new("MainProcess");

/// The name of the process that asks: what its parent called it, `Process-1` if
/// nothing else; in the first process `MainProcess`. As Python's
/// `current_process().name`.
///
/// ```
/// use multiprocessing::{Error, Process, current_process_name};
///
/// fn main() -> Result<(), Error> {
///     multiprocessing::init();
///     assert_eq!(current_process_name(), "MainProcess");
///     let child = Process::spawn(|()| current_process_name().to_string(), ())?;
///     assert_eq!(child.join()?, "Process-1");
///     Ok(())
/// }
/// ```
pub fn current_process_name() -> &'static str {
    *NAME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Here and for ps(1), which shows the first 15 bytes (PR_SET_NAME).
pub fn set_name(name: String) {
    if let Ok(text) = CString::new(name.as_str()) {
        let _ = nix::sys::prctl::set_name(&text);
    }
    *NAME.lock().unwrap_or_else(PoisonError::into_inner) = name.leak(); // once in a process
}

/// Ends this process when `parent` has ended, however that came. By a thread that
/// waits for it: PR_SET_PDEATHSIG would fire when the parent's *thread* ends.
fn die_with(parent: Descriptor) -> Result<(), Error> {
    let watch = move || {
        wait_until(parent.as_fd(), None);
        let _ = kill(getpid(), Signal::SIGKILL);
    };
    let thread = thread::Builder::new().name("watches parent".to_string());
    thread.stack_size(64 * 1024).spawn(watch).trying_to("watch the parent of a daemon")?;
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
    outcome_of(|| {
        let address = function.address()?;
        // SAFETY: it is the address of an `fn(A) -> R`, as the caller promises.
        let f: fn(A) -> R = unsafe { mem::transmute(address) };
        Ok(f(args.take_last()?))
    })
}

/// What became of a function, in bytes.
pub fn outcome_of<R: Serialize>(f: impl FnOnce() -> Result<R, Error>) -> Outcome {
    panic::set_hook(noting_hook());
    // Encoding is code of the user, too.
    let encode = || {
        let mut message = Message::default();
        let result = f()?;
        message.push(&Answer::Returned)?;
        message.push(&result)?;
        Ok(message)
    };
    match panic::catch_unwind(AssertUnwindSafe(encode)) {
        Ok(Ok(answer)) => Outcome { answer, status: 0 },
        Ok(Err(error)) => Outcome::failed(&error),
        Err(payload) => {
            let message = text_of(&*payload);
            let noted = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
            // An earlier one may have been caught, and this one thrown without the hook.
            let noted = noted.filter(|(text, _)| *text == message);
            let location = noted.map_or("an unknown place".to_string(), |(_, location)| location);
            std::mem::forget(payload); // its destructor is code of the user, and could panic
            Outcome::new(&Answer::Panicked { message, location }, PANIC_STATUS)
        }
    }
}

/// Ends a forked process, which has copies of the parent's objects: without their
/// destructors and exit handlers, but with what was printed.
pub fn exit_now(status: i32) -> ! {
    match count_threads() {
        Ok(1) => flush(),
        // One of the others may hold the lock of `stdout` for ever.
        _ => flush_within(MOMENT),
    }
    // SAFETY: it takes any number.
    unsafe { libc::_exit(status) }
}

fn flush() {
    let _ = io::stdout().flush();
}

fn flush_within(limit: Duration) {
    let (done, wait) = mpsc::channel();
    let flushing = thread::Builder::new().spawn(move || {
        flush();
        done.send(())
    });
    if flushing.is_ok() {
        let _ = wait.recv_timeout(limit);
    }
}

/// Puts a channel where a child has its socket, in the place of the one there.
///
/// # Safety
///
/// Nobody uses descriptor 3 of this process any more.
pub unsafe fn take_socket_over(channel: Channel) -> Result<Channel, Error> {
    // SAFETY: as the caller promises.
    let socket = unsafe { dup3_raw(channel.as_fd(), SOCKET, OFlag::O_CLOEXEC) };
    Ok(Channel::from(socket.trying_to("take the socket over")?))
}

impl Outcome {
    /// Sends the answer; returns the exit status.
    pub fn send(self, channel: &Channel) -> i32 {
        match channel.leave(self.answer) {
            Ok(()) => self.status,
            // No memory for a large result, say. A parent that has gone, or has
            // dropped its handle, does not hear that either.
            Err(error) => {
                let _ = channel.leave(Outcome::failed(&error).answer);
                FAILURE_STATUS
            }
        }
    }

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

/// What the function panicked with, and where: a hook sees that, `catch_unwind` does not.
static PANIC: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Notes the place of a panic in this thread, and prints it as before.
fn noting_hook() -> Box<dyn Fn(&PanicHookInfo) + Send + Sync> {
    let (before, this) = (panic::take_hook(), thread::current().id());
    Box::new(move |info| {
        if thread::current().id() == this {
            let location = info.location().map(ToString::to_string);
            let noted = location.map(|location| (text_of(info.payload()), location));
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = noted;
        }
        before(info);
    })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_string()
}
