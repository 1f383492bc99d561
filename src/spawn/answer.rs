//! What a child sends before it exits, and how it exits.

use super::values::ReturnValue;
use crate::Error;
use crate::pipe::{Channel, Message};
use std::any::Any;
use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;
use std::{fs, os::unix::fs::MetadataExt, thread};

/// As a panic in the main thread of a Rust program.
const PANIC_STATUS: i32 = 101;
pub const FAILURE_STATUS: i32 = 1;

/// A `Result<(), Error>` in bytes, behind `Ok(())` what the function returned; and the
/// exit status that goes with it.
pub struct Answer {
    message: Message,
    status: i32,
}

impl Answer {
    /// Calls a function.
    pub fn from_call<R: ReturnValue>(f: impl FnOnce() -> Result<R, Error>) -> Self {
        panic::set_hook(noting_hook());
        // Encoding is code of the user, too.
        let encode = || {
            let result = f()?;
            let mut message = Message::default();
            message.push(&Ok::<(), Error>(()))?;
            message.push(&result)?;
            Ok(message)
        };
        match panic::catch_unwind(AssertUnwindSafe(encode)) {
            Ok(Ok(message)) => Self { message, status: 0 },
            Ok(Err(error)) => Self::from_error(&error),
            Err(payload) => {
                let error = panic_error(&*payload);
                mem::forget(payload); // its destructor is code of the user, and could panic
                Self { status: PANIC_STATUS, ..Self::from_error(&error) }
            }
        }
    }

    pub fn from_error(error: &Error) -> Self {
        let mut message = Message::default();
        // Errors are encoded without fail; if not, the parent sees the status.
        let _ = message.push(&Err::<(), _>(error));
        Self { message, status: FAILURE_STATUS }
    }

    /// Sends it; returns the exit status.
    pub fn post(self, channel: &Channel) -> i32 {
        match channel.post(self.message) {
            Ok(()) => self.status,
            // No memory for a large result, say. A parent that has gone, or has
            // dropped its handle, does not hear that either.
            Err(error) => {
                let _ = channel.post(Self::from_error(&error).message);
                FAILURE_STATUS
            }
        }
    }
}

/// What the function panicked with, and where: a hook sees that, `catch_unwind` does not.
static PANIC: Mutex<Option<(String, String)>> = Mutex::new(None);

/// Notes the location of a panic in this thread, and prints it as before.
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

fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let message = text_of(payload);
    let noted = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    // An earlier one may have been caught, and this one thrown without the hook.
    let noted = noted.filter(|(text, _)| *text == message);
    let location = noted.map_or("an unknown location".to_string(), |(_, location)| location);
    Error::Panicked { message, location }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_string()
}

/// Each thread has a folder there, and a folder has two links besides those.
pub fn count_threads() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/task")?.nlink().saturating_sub(2))
}

/// Ends a forked process, which has copies of the parent's objects: without their
/// destructors and exit handlers, but with what was printed.
pub fn exit_now(status: i32) -> ! {
    match count_threads() {
        Ok(1) => flush(),
        // One of the others may hold the lock of `stdout` for ever.
        _ => flush_within(Duration::from_secs(1)),
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
