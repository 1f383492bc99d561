//! A mutex in shared memory that survives its holder (pthread_mutexattr_setrobust(3)).

use super::check;
use super::deadline::Deadline;
use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t, timespec};
use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// It must lie in memory that all its users share, and that stays mapped while a thread of
/// this process holds it: the mutex then stands in a list of that thread.
#[repr(transparent)]
pub struct RobustMutex(UnsafeCell<pthread_mutex_t>);

// SAFETY: the functions of pthread that get a pointer to it may be called from any thread.
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
    /// With the number of the error.
    Failed(c_int),
}

impl RobustMutex {
    /// Makes an unlocked mutex at `address`.
    ///
    /// # Safety
    ///
    /// `address` is memory of its size and alignment that nobody else uses yet.
    pub unsafe fn make_at(address: *mut Self, recursive: bool) -> io::Result<()> {
        let mut attributes = MaybeUninit::<pthread_mutexattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // Locking it again is an error instead of a wait for ever.
        let kind = if recursive { libc::PTHREAD_MUTEX_RECURSIVE } else { ERRORCHECK };
        // SAFETY: `init` writes to the memory it is given.
        check(unsafe { libc::pthread_mutexattr_init(attributes) })?;
        // SAFETY: it was initialised, here and in the next lines.
        check(unsafe { libc::pthread_mutexattr_setpshared(attributes, SHARED) })?;
        // SAFETY: the same.
        check(unsafe { libc::pthread_mutexattr_setrobust(attributes, ROBUST) })?;
        // SAFETY: the same.
        check(unsafe { libc::pthread_mutexattr_settype(attributes, kind) })?;
        // SAFETY: the caller vouches for `address`.
        check(unsafe { libc::pthread_mutex_init(address.cast(), attributes) })?;
        // SAFETY: it was initialised and is not used again.
        check(unsafe { libc::pthread_mutexattr_destroy(attributes) })
    }

    /// Waits until it is locked, or for the deadline.
    ///
    /// `pthread_mutex_lock` would not do: an unlock wakes one waiter, and if that one is
    /// killed before it runs, while another thread has locked, the rest sleep on. So each
    /// waiter looks again after a while.
    #[inline]
    pub fn lock_until(&self, deadline: Deadline) -> Locking {
        match self.try_lock_or_held() {
            Locking::Held => self.wait_until(deadline),
            locking => locking,
        }
    }

    #[inline]
    fn try_lock_or_held(&self) -> Locking {
        // SAFETY: a reference to a `RobustMutex` exists only where `make_at` made one.
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
            let look_again = Instant::now() + LOOK_AGAIN;
            let until = deadline.map_or(look_again, |deadline| deadline.min(look_again));
            let time = on_monotonic_clock(until);
            // SAFETY: as above; the time lives during the call.
            let result =
                unsafe { pthread_mutex_clocklock(self.0.get(), libc::CLOCK_MONOTONIC, &time) };
            match self.locking(result) {
                Locking::Held if Some(until) != deadline => continue,
                locking => return locking,
            }
        }
    }

    /// Only the thread that holds it can; for any other it does nothing.
    #[inline]
    pub fn unlock(&self) {
        // SAFETY: as above. An error says that this thread does not hold it.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }

    #[inline]
    fn locking(&self, result: c_int) -> Locking {
        match result {
            0 => Locking::Locked,
            libc::EOWNERDEAD => {
                // Without this, it could never be locked again.
                // SAFETY: as above; this thread holds it.
                unsafe { libc::pthread_mutex_consistent(self.0.get()) };
                Locking::OwnerDied
            }
            libc::EBUSY | libc::ETIMEDOUT => Locking::Held,
            libc::EDEADLK => Locking::AlreadyHeld,
            number => Locking::Failed(number),
        }
    }
}

const LOOK_AGAIN: Duration = Duration::from_secs(1);

const ERRORCHECK: c_int = libc::PTHREAD_MUTEX_ERRORCHECK;
const SHARED: c_int = libc::PTHREAD_PROCESS_SHARED;
const ROBUST: c_int = libc::PTHREAD_MUTEX_ROBUST;

unsafe extern "C" {
    /// `pthread_mutex_timedlock` by a given clock (glibc 2.30 and newer); libc lacks it.
    fn pthread_mutex_clocklock(
        mutex: *mut pthread_mutex_t,
        clock: libc::clockid_t,
        until: *const timespec,
    ) -> c_int;
}

/// An `Instant` does not show its number, but the clock that it comes from does.
fn on_monotonic_clock(deadline: Instant) -> timespec {
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to the memory it is given. This clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    let left = deadline.saturating_duration_since(Instant::now());
    let nanoseconds = now.tv_nsec + i64::from(left.subsec_nanos());
    let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    timespec {
        tv_sec: now.tv_sec.saturating_add(seconds).saturating_add(nanoseconds / 1_000_000_000),
        tv_nsec: nanoseconds % 1_000_000_000,
    }
}
