//! Copying to and from memory that others may change at the same time.
//!
//! Every access is atomic, in the largest unit that fits: a number of up to 8 bytes at
//! its own alignment is read and written whole. (Rust's memory model says nothing of
//! atomics of different sizes at one place; that they work is the processor's promise.)

use crate::Error;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// Whether so many of `length` are there from `start` on.
pub fn check_range(start: usize, count: usize, length: usize) -> Result<(), Error> {
    match start.checked_add(count) {
        Some(end) if end <= length => Ok(()),
        _ => Err(Error::OutOfRange { index: start.max(length), length }),
    }
}

/// What fits an address and a length best, in bytes.
fn unit(address: usize, length: usize) -> usize {
    let fits = |unit: &usize| address.is_multiple_of(*unit) && length >= *unit;
    [8, 4, 2].into_iter().find(fits).unwrap_or(1)
}

/// From how many bytes on [`copy_words`] is worth its start.
const MANY: usize = if cfg!(target_arch = "x86_64") { 512 } else { usize::MAX };

/// Copies word by word, each of them whole. The processor does this as fast as memory
/// goes; a loop over atomics takes three times as long in its caches.
///
/// # Safety
///
/// So many bytes, a multiple of 8, can be read at `from` and written at `to`; where
/// others use them meanwhile they are aligned, and the others use atomics.
unsafe fn copy_words(from: *const u8, to: *mut u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as the caller says. It changes these three registers and nothing else.
    unsafe {
        std::arch::asm!(
            "rep movsq",
            inout("rcx") bytes / 8 => _, inout("rsi") from => _, inout("rdi") to => _,
            options(nostack, preserves_flags)
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("{bytes} bytes from {from:p} to {to:p}");
}

/// # Safety
///
/// So many bytes from `from` on are mapped, and all who change them do it atomically.
pub unsafe fn load(mut from: *const u8, mut to: &mut [u8]) {
    while !to.is_empty() {
        let unit = unit(from.addr(), to.len());
        let run = if unit == 8 { to.len() & !7 } else { unit };
        let (now, later) = to.split_at_mut(run);
        if run >= MANY {
            // SAFETY: as the caller says, and `now` is as long.
            unsafe { copy_words(from, now.as_mut_ptr(), run) };
        } else {
            for (n, bytes) in now.chunks_exact_mut(unit).enumerate() {
                let from = from.wrapping_add(n * unit);
                // SAFETY: as the caller says; it is aligned to the unit.
                unsafe { load_one(from, bytes) };
            }
        }
        from = from.wrapping_add(run);
        to = later;
    }
}

/// # Safety
///
/// As of [`load`]; as many bytes as a unit, and aligned to it.
#[inline]
unsafe fn load_one(from: *const u8, to: &mut [u8]) {
    match to.len() {
        // SAFETY: as the caller says. So in the other lines.
        8 => to.copy_from_slice(&unsafe { &*from.cast::<AtomicU64>() }.load(Relaxed).to_ne_bytes()),
        // SAFETY: the same.
        4 => to.copy_from_slice(&unsafe { &*from.cast::<AtomicU32>() }.load(Relaxed).to_ne_bytes()),
        // SAFETY: the same.
        2 => to.copy_from_slice(&unsafe { &*from.cast::<AtomicU16>() }.load(Relaxed).to_ne_bytes()),
        // SAFETY: the same.
        _ => to[0] = unsafe { &*from.cast::<AtomicU8>() }.load(Relaxed),
    }
}

/// # Safety
///
/// So many bytes from `to` on are mapped, and all who use them do it atomically.
pub unsafe fn store(mut to: *mut u8, mut from: &[u8]) {
    while !from.is_empty() {
        let unit = unit(to.addr(), from.len());
        let run = if unit == 8 { from.len() & !7 } else { unit };
        let (now, later) = from.split_at(run);
        if run >= MANY {
            // SAFETY: as the caller says, and `now` is as long.
            unsafe { copy_words(now.as_ptr(), to, run) };
        } else {
            for (n, bytes) in now.chunks_exact(unit).enumerate() {
                let to = to.wrapping_add(n * unit);
                // SAFETY: as the caller says; it is aligned to the unit.
                unsafe { store_one(to, bytes) };
            }
        }
        to = to.wrapping_add(run);
        from = later;
    }
}

/// # Safety
///
/// As of [`store`]; as many bytes as a unit, and aligned to it.
#[inline]
unsafe fn store_one(to: *mut u8, from: &[u8]) {
    match *from {
        [a, b, c, d, e, f, g, h] => {
            let number = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
            // SAFETY: as the caller says. So in the other lines.
            unsafe { &*to.cast::<AtomicU64>() }.store(number, Relaxed)
        }
        [a, b, c, d] => {
            let number = u32::from_ne_bytes([a, b, c, d]);
            // SAFETY: the same.
            unsafe { &*to.cast::<AtomicU32>() }.store(number, Relaxed)
        }
        // SAFETY: the same.
        [a, b] => unsafe { &*to.cast::<AtomicU16>() }.store(u16::from_ne_bytes([a, b]), Relaxed),
        // SAFETY: the same.
        [a, ..] => unsafe { &*to.cast::<AtomicU8>() }.store(a, Relaxed),
        [] => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_and_length() {
        let bytes: Vec<u8> = (0..540).map(|n| n as u8).collect();
        for start in 0..16 {
            for length in (0..40).chain(500..540) {
                let mut memory = [0u64; 80];
                let to = memory.as_mut_ptr().cast::<u8>();
                // SAFETY: `memory` has 640 bytes, and nobody else has it.
                unsafe { store(to.wrapping_add(start), &bytes[..length]) };
                let mut back = vec![0; length];
                // SAFETY: the same.
                unsafe { load(to.wrapping_add(start), &mut back) };
                assert_eq!(back, bytes[..length]);
                let all: &[u8] = bytemuck::cast_slice(&memory);
                assert_eq!(all[start..start + length], bytes[..length]);
                assert!(all[..start].iter().chain(&all[start + length..]).all(|b| *b == 0));
            }
        }
    }
}
