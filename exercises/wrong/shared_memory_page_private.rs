//! Refused: one 0

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{env, process, slice, thread};

fn main() -> Result<(), Box<dyn Error>> {
    let texts: Vec<String> = env::args().skip(1).collect();
    let lengths = numbers(texts.len())?;
    let mut children = vec![];
    for (text, length) in texts.iter().zip(lengths) {
        // SAFETY: this program has one thread.
        match unsafe { fork() }? {
            ForkResult::Child => {
                length.store(letters(text), Relaxed);
                process::exit(0);
            }
            ForkResult::Parent { child } => {
                children.push(child)
            }
        }
    }
    for child in children {
        waitpid(child, None)?;
    }
    for (text, length) in texts.iter().zip(lengths) {
        println!("{text} {}", length.load(Relaxed));
    }
    Ok(())
}

/// How many letters it has.
fn letters(text: &str) -> u64 {
    thread::sleep(Duration::from_millis(5)); // It is slow.
    text.len() as u64
}

/// `count` numbers, all 0.
fn numbers(
    count: usize,
) -> Result<&'static [AtomicU64], Box<dyn Error>> {
    let bytes = count.max(1) * size_of::<AtomicU64>();
    let bytes = NonZeroUsize::try_from(bytes)?;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let kind = MapFlags::MAP_PRIVATE;
    // SAFETY: the system chooses a place that nobody uses.
    let pages =
        unsafe { mmap_anonymous(None, bytes, access, kind) }?;
    let first = pages.cast().as_ptr();
    // SAFETY: they are there until the end, and full of zeroes.
    Ok(unsafe { slice::from_raw_parts(first, count) })
}
