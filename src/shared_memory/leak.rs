//! What if a guard is leaked? Its data may go to another thread and be used for ever. But
//! the system passes the lock on when the thread that took it ends, and then two threads
//! could change the data. So a thread whose guard was leaked must not end: its end aborts
//! the process.

use crate::Error;
use nix::unistd::{getpid, gettid};
use std::cell::Cell;
use std::process::abort;

/// One guard of this thread.
#[derive(Debug)]
pub struct GuardCount;

thread_local! {
    /// How many guards this thread has. `WATCHED`: `WATCH` will look at it at the end.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    /// Its destructor runs at the end of the thread.
    static WATCH: Watch = const { Watch };
}

const WATCHED: usize = 1 << (usize::BITS - 1);

struct Watch;

impl GuardCount {
    /// An error after `WATCH` is gone, in another destructor at the end of the thread:
    /// nobody would see the leak.
    #[inline]
    pub fn new() -> Result<Self, Error> {
        if GUARDS.get() & WATCHED == 0 {
            Self::watch()?;
        }
        GUARDS.set(GUARDS.get() + 1);
        Ok(Self)
    }

    /// A thread-local variable is destroyed if it was used once.
    #[cold]
    fn watch() -> Result<(), Error> {
        WATCH.try_with(|_| GUARDS.set(GUARDS.get() | WATCHED)).map_err(|_| {
            Error::refused("lock shared memory in a destructor at the end of a thread", libc::EPERM)
        })
    }
}

impl Drop for GuardCount {
    #[inline]
    fn drop(&mut self) {
        GUARDS.set(GUARDS.get() - 1);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The end of the main thread is the end of the process.
        GUARDS.set(GUARDS.get() & !WATCHED);
        if GUARDS.get() > 0 && gettid() != getpid() {
            eprintln!("multiprocessing: a thread ended whose guard of shared memory was leaked");
            abort();
        }
    }
}
