//! What a child sends before it exits, and how it exits.

use super::values::ReturnValue;
use crate::Error;
use crate::pipe::{Channel, Message};
use std::any::Any;
use std::cell::RefCell;
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Once, mpsc};
use std::time::Duration;
use std::{fs, os::unix::fs::MetadataExt, thread};

/// That of a Rust program whose main thread panicked.
const PANIC_STATUS: i32 = 101;
pub const FAILURE_STATUS: i32 = 1;

/// A `Result<(), Error>` in bytes, followed after `Ok(())` by what the function returned, and the
/// exit status that goes with it.
pub struct Answer {
    message: Message,
    status: i32,
}

impl Answer {
    /// Calls a function.
    pub fn from_call<R: ReturnValue>(f: impl FnOnce() -> Result<R, Error>) -> Self {
        // Encoding is the user's code, too.
        let encode = || {
            let result = f()?;
            let mut message = Message::default();
            message.push(&Ok::<(), Error>(()))?;
            message.push(&result)?;
            Ok(message)
        };
        match catch(encode) {
            Ok(message) => Self { message, status: 0 },
            Err(error @ Error::Panicked { .. }) => {
                Self { status: PANIC_STATUS, ..Self::from_error(&error) }
            }
            Err(error) => Self::from_error(&error),
        }
    }

    pub fn from_error(error: &Error) -> Self {
        let mut message = Message::default();
        // Encoding an error needs no more than memory. If it fails, the parent sees the status.
        let _ = message.push(&Err::<(), _>(error));
        Self { message, status: FAILURE_STATUS }
    }

    pub fn into_message(self) -> Message {
        self.message
    }

    /// Sends it; returns the exit status.
    pub fn post(self, channel: &Channel) -> i32 {
        match channel.post(self.message) {
            Ok(()) => self.status,
            // There is no memory for a large result, for example. If the parent has dropped its
            // handle or has ended, this fails, too.
            Err(error) => {
                let _ = channel.post(Self::from_error(&error).message);
                FAILURE_STATUS
            }
        }
    }
}

/// Calls a function. A panic is an error.
pub fn catch<R>(f: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    static NOTE_PANICS: Once = Once::new();
    NOTE_PANICS.call_once(|| panic::set_hook(noting_hook()));
    panic::catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| {
        let error = panic_error(&*payload);
        mem::forget(payload); // its destructor is the user's code, and could panic
        Err(error)
    })
}

thread_local! {
    /// The message and place of this thread's last panic: a hook sees the place, `catch_unwind`
    /// does not.
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Notes each panic, and prints it as before.
fn noting_hook() -> Box<dyn Fn(&PanicHookInfo) + Send + Sync> {
    let before = panic::take_hook();
    Box::new(move |info| {
        let location = info.location().map(ToString::to_string);
        let noted = location.map(|location| (text_of(info.payload()), location));
        let _ = PANIC.try_with(|panic| panic.replace(noted)); // it may be destroyed
        before(info);
    })
}

fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let message = text_of(payload);
    // `resume_unwind` calls no hook: then an earlier panic, which was caught, is noted.
    let noted = PANIC.take().filter(|(text, _)| *text == message);
    let location = noted.map_or("an unknown location".to_string(), |(_, location)| location);
    Error::Panicked { message, location }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_string()
}

/// Each thread has a folder there, which is a link to the upper folder; two more links are that
/// folder's own.
fn count_threads() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/task")?.nlink().saturating_sub(2))
}

/// The same, once the threads that are ending have left: the system lists one for a moment after
/// its closure has returned and a scope has joined it. Nothing announces that moment.
pub fn wait_for_threads() -> io::Result<u64> {
    for _ in 0..100 {
        if count_threads()? == 1 {
            return Ok(1);
        }
        thread::sleep(Duration::from_millis(1));
    }
    count_threads()
}

/// Ends a forked process. Its objects are copies of the parent's, so no destructor and no exit
/// handler runs, but what was printed is written.
pub fn exit_now(status: i32) -> ! {
    match count_threads() {
        Ok(1) => flush(),
        // Another thread may hold the lock of `stdout` for ever.
        _ => flush_within(Duration::from_secs(1)),
    }
    // SAFETY: it takes any number, and runs no code of this process.
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
