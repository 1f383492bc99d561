//! This process's id, without a system call.

use std::process::id;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static ID: AtomicU32 = AtomicU32::new(0);

extern "C" fn look() {
    ID.store(id(), Relaxed);
}

/// Call this first: from then on, [`cached`] is right, also after a fork.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        look();
        // SAFETY: `look` calls getpid(2) and stores a number, which a forked child may.
        unsafe { libc::pthread_atfork(None, None, Some(look)) };
    });
}

#[inline]
pub fn cached() -> u32 {
    ID.load(Relaxed)
}
