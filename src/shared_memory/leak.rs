//! A guard that is leaked may have given its data to another thread, which can use it for ever.
//! But when the thread that holds the lock ends, the system passes the lock on, and two threads
//! could change the data at once. So if a thread with a leaked guard ends, the process is aborted.

use crate::Error;
use nix::unistd::{getpid, gettid};
use std::cell::Cell;
use std::process::abort;

/// One guard of this thread.
#[derive(Debug)]
pub struct GuardCount;

thread_local! {
    /// How many guards this thread has, and `WATCHED` if `WATCH` will check that at its end.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    /// Its destructor runs at the end of the thread.
    static WATCH: Watch = const { Watch };
}

const WATCHED: usize = 1 << (usize::BITS - 1);

struct Watch;

impl GuardCount {
    /// This fails in a destructor that runs at the end of the thread, after that of `WATCH`: a
    /// leak would go unnoticed.
    #[inline]
    pub fn new() -> Result<Self, Error> {
        if GUARDS.get() & WATCHED == 0 {
            Self::watch()?;
        }
        GUARDS.set(GUARDS.get() + 1);
        Ok(Self)
    }

    /// The first use of a thread-local variable registers its destructor.
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
        // The main thread (`gettid` is `getpid`) may leak: with it, the process ends.
        GUARDS.set(GUARDS.get() & !WATCHED);
        if GUARDS.get() > 0 && gettid() != getpid() {
            eprintln!("multiprocessing: a thread ended whose guard of shared memory was leaked");
            abort();
        }
    }
}
