//! The same by hand: a page that is shared over the fork, and
//! one that is private.
//!
//!     cargo run --example shared_memory_nix

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

fn main() -> Result<(), Box<dyn Error>> {
    let shared = number_in(MapFlags::MAP_SHARED)?;
    let private = number_in(MapFlags::MAP_PRIVATE)?;
    // SAFETY: this program has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            shared.store(30, Relaxed);
            private.store(30, Relaxed);
            show("Child", shared, private);
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            show("Parent", shared, private);
        }
    }
    Ok(())
}

/// A number in a page of its own.
fn number_in(
    kind: MapFlags,
) -> Result<&'static AtomicU32, nix::Error> {
    let size = NonZeroUsize::MIN; // the system makes it a page
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the system chooses a place that nobody uses.
    let page =
        unsafe { mmap_anonymous(None, size, access, kind) }?;
    // SAFETY: it is there until the end, and full of zeroes.
    Ok(unsafe { page.cast().as_ref() })
}

fn show(who: &str, shared: &AtomicU32, private: &AtomicU32) {
    println!("{who}: shared {shared:?}, private {private:?}");
}
