//! A mutex in shared memory that survives its holder (pthread_mutexattr_setrobust(3)).

use super::check;
use super::deadline::{Deadline, look_again};
use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t, timespec};
use nix::sys::time::TimeSpec;
use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::time::Instant;

/// It must be in memory that all its users share, and that stays mapped while a thread of this
/// process holds it: the mutex is then in a list of that thread.
#[repr(transparent)]
pub struct RobustMutex(UnsafeCell<pthread_mutex_t>);

// SAFETY: a reference to it is only passed to functions of pthread, which may be called on one
// mutex from all threads at once.
unsafe impl Sync for RobustMutex {}

/// The result of an attempt to lock.
#[derive(Debug)]
pub enum Locking {
    Locked,
    /// Locked, and its last holder ended while it held it.
    OwnerDied,
    /// Not locked: another holds it.
    Held,
    /// Not locked: this thread holds it, and it is not recursive.
    AlreadyHeld,
    /// Not locked, with the error's number.
    Failed(c_int),
}

impl RobustMutex {
    /// Makes an unlocked mutex at `address`.
    ///
    /// # Safety
    ///
    /// At `address` is writable memory of this type's size and alignment, and nothing else uses
    /// it during the call.
    pub unsafe fn make_at(address: *mut Self, recursive: bool) -> io::Result<()> {
        let mut attributes = MaybeUninit::<pthread_mutexattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // With ERRORCHECK, locking it twice is an error, not an endless wait.
        let kind = if recursive { libc::PTHREAD_MUTEX_RECURSIVE } else { ERRORCHECK };
        // SAFETY: `attributes` points to a local variable, which `init` writes.
        check(unsafe { libc::pthread_mutexattr_init(attributes) })?;
        // SAFETY: `init` has initialised it, here and in the next lines.
        check(unsafe { libc::pthread_mutexattr_setpshared(attributes, SHARED) })?;
        // SAFETY: the same.
        check(unsafe { libc::pthread_mutexattr_setrobust(attributes, ROBUST) })?;
        // SAFETY: the same.
        check(unsafe { libc::pthread_mutexattr_settype(attributes, kind) })?;
        // SAFETY: `attributes` is initialised, and the caller answers for `address`.
        check(unsafe { libc::pthread_mutex_init(address.cast(), attributes) })?;
        // SAFETY: it is initialised, and not used again.
        check(unsafe { libc::pthread_mutexattr_destroy(attributes) })
    }

    /// Waits until this thread has locked it, or for the deadline.
    ///
    /// `pthread_mutex_lock` is not enough. An unlock wakes one waiter. If that one is killed
    /// before it runs, and another thread has taken the mutex, the remaining waiters sleep on.
    /// So each waiter looks again after a second.
    #[inline]
    pub fn lock_until(&self, deadline: Deadline) -> Locking {
        match self.try_lock_or_held() {
            Locking::Held => self.wait_until(deadline),
            locking => locking,
        }
    }

    #[inline]
    fn try_lock_or_held(&self) -> Locking {
        // SAFETY: a reference to a `RobustMutex` exists only where `make_at` made one, and its
        // memory stays mapped as long as the reference.
        self.locking(unsafe { libc::pthread_mutex_trylock(self.0.get()) })
    }

    pub fn try_lock(&self) -> Locking {
        match self.try_lock_or_held() {
            Locking::AlreadyHeld => Locking::Held,
            locking => locking,
        }
    }

    fn wait_until(&self, deadline: Deadline) -> Locking {
        loop {
            let until = look_again(deadline);
            let time = on_monotonic_clock(until);
            // SAFETY: as in `try_lock_or_held`; `time` is a local variable.
            let result =
                unsafe { pthread_mutex_clocklock(self.0.get(), libc::CLOCK_MONOTONIC, &time) };
            match self.locking(result) {
                Locking::Held if Some(until) != deadline => continue,
                locking => return locking,
            }
        }
    }

    /// Unlocks it once. In a thread that does not hold it, this does nothing.
    #[inline]
    pub fn unlock(&self) {
        // SAFETY: as in `try_lock_or_held`. A thread that does not hold it gets an error.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }

    #[inline]
    fn locking(&self, result: c_int) -> Locking {
        match result {
            0 => Locking::Locked,
            libc::EOWNERDEAD => {
                // Without this call, nobody could lock it again after the unlock.
                // SAFETY: as in `try_lock_or_held`; this thread holds it.
                unsafe { libc::pthread_mutex_consistent(self.0.get()) };
                Locking::OwnerDied
            }
            libc::EBUSY | libc::ETIMEDOUT => Locking::Held,
            libc::EDEADLK => Locking::AlreadyHeld,
            number => Locking::Failed(number),
        }
    }
}

const ERRORCHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
const SHARED: c_int = libc::PTHREAD_PROCESS_SHARED;
const ROBUST: c_int = libc::PTHREAD_MUTEX_ROBUST;

unsafe extern "C" {
    /// `pthread_mutex_timedlock` on a given clock (glibc 2.30 and newer). libc does not declare it.
    fn pthread_mutex_clocklock(
        mutex: *mut pthread_mutex_t,
        clock: libc::clockid_t,
        until: *const timespec,
    ) -> c_int;
}

/// The time of a deadline on the clock that `Instant` uses but does not show. The deadline is at
/// most a second away ([`look_again`]), so the sum does not overflow.
fn on_monotonic_clock(deadline: Instant) -> timespec {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to `now`, a local variable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    let left = deadline.saturating_duration_since(Instant::now());
    *(TimeSpec::from(now) + TimeSpec::from(left)).as_ref()
}
