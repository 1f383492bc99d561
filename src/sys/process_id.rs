//! This process's id, without a system call.

use std::process::id;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

static ID: AtomicU32 = AtomicU32::new(0);

extern "C" fn look() {
    ID.store(id(), Relaxed);
}

/// After the first call of this, [`cached`] is right, even after a fork.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        look();
        // SAFETY: `look` is a function of the right type. It calls getpid(2) and stores an atomic,
        // both of which are allowed in a forked child.
        unsafe { libc::pthread_atfork(None, None, Some(look)) };
    });
}

#[inline]
pub fn cached() -> u32 {
    ID.load(Relaxed)
}
