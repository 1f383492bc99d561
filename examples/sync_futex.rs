//! A lock by hand: one number, and two calls of futex(2).
//!
//!     cargo run --example sync_futex

use multiprocessing::{Error, Process, RawValue};
use nix::libc::{FUTEX_WAIT, FUTEX_WAKE, SYS_futex, syscall};
use std::ptr::null;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Release};

fn main() -> Result<(), Error> {
    multiprocessing::init();
    let shared = (RawValue::new(0)?, RawValue::new(0)?);
    let p = Process::spawn(add, shared.clone())?;
    add(shared.clone());
    p.join()?;
    println!("{}", shared.1.get());
    Ok(())
}

fn add((lock, number): (RawValue<u32>, RawValue<u32>)) {
    for _ in 0..100_000 {
        acquire(lock.atomic());
        number.set(number.get() + 1);
        release(lock.atomic());
    }
}

// ANCHOR: acquire
/// 0: free, 1: held, 2: held, and perhaps others wait.
fn acquire(lock: &AtomicU32) {
    if lock.compare_exchange(0, 1, Acquire, Acquire).is_err() {
        while lock.swap(2, Acquire) != 0 {
            futex(lock, FUTEX_WAIT, 2); // sleeps while it is 2
        }
    }
}

fn release(lock: &AtomicU32) {
    if lock.swap(0, Release) == 2 {
        futex(lock, FUTEX_WAKE, 1);
    }
}
// ANCHOR_END: acquire

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let (op, forever) = (operation, null::<u8>());
    // SAFETY: the word lives during the call.
    unsafe { syscall(SYS_futex, word, op, value, forever) };
}
