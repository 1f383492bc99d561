//! Copying to and from memory that other processes may change at the same time.
//!
//! Every access is atomic, and its size depends only on the type of the elements: it is their
//! alignment, at most 8 bytes. So all accesses to one place have one size, as the
//! documentation of `std::sync::atomic` demands.

use crate::Error;
use bytemuck::{Pod, cast_slice, cast_slice_mut};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// Whether elements `start` to `start + count` exist in `length` of them.
pub fn check_range(start: usize, count: usize, length: usize) -> Result<(), Error> {
    match start.checked_add(count) {
        Some(end) if end <= length => Ok(()),
        _ => Err(Error::OutOfRange { index: start.max(length), length }),
    }
}

/// A number that is read and written whole.
trait Unit: Pod {
    /// # Safety
    ///
    /// One is mapped at `from`, aligned, and all who change it do so in this size.
    unsafe fn load(from: *const Self) -> Self;

    /// # Safety
    ///
    /// One is mapped at `to`, aligned, and all who use it do so in this size.
    unsafe fn store(to: *mut Self, number: Self);

    /// As many loads and stores, one after the other. A loop over atomics takes three to ten
    /// times as long, because the compiler may not join them; the processor may.
    ///
    /// # Safety
    ///
    /// As for `load` and `store`, of `count` units.
    unsafe fn copy_many(from: *const Self, to: *mut Self, count: usize);
}

macro_rules! unit {
    ($($number:ty, $atomic:ty, $instruction:literal;)*) => {$(
        impl Unit for $number {
            #[inline]
            unsafe fn load(from: *const Self) -> Self {
                // SAFETY: as the caller promises.
                unsafe { &*from.cast::<$atomic>() }.load(Relaxed)
            }

            #[inline]
            unsafe fn store(to: *mut Self, number: Self) {
                // SAFETY: as the caller promises.
                unsafe { &*to.cast::<$atomic>() }.store(number, Relaxed);
            }

            #[cfg(target_arch = "x86_64")]
            unsafe fn copy_many(from: *const Self, to: *mut Self, count: usize) {
                // SAFETY: as the caller promises. It changes these three registers only.
                unsafe {
                    std::arch::asm!(
                        $instruction,
                        inout("rcx") count => _, inout("rsi") from => _, inout("rdi") to => _,
                        options(nostack, preserves_flags)
                    );
                }
            }

            #[cfg(not(target_arch = "x86_64"))]
            unsafe fn copy_many(from: *const Self, to: *mut Self, count: usize) {
                for n in 0..count {
                    // SAFETY: as the caller promises.
                    let number = unsafe { Self::load(from.add(n)) };
                    // SAFETY: the same.
                    unsafe { Self::store(to.add(n), number) };
                }
            }
        }
    )*};
}

unit! {
    u8, AtomicU8, "rep movsb";
    u16, AtomicU16, "rep movsw";
    u32, AtomicU32, "rep movsd";
    u64, AtomicU64, "rep movsq";
}

/// From this number of units on, [`Unit::copy_many`] is worth its start.
const MANY: usize = 64;

/// Copies elements out.
///
/// # Safety
///
/// As many are mapped at `from`, aligned, and all who change them use this module or atomics
/// of their alignment.
pub unsafe fn load<T: Pod>(from: *const T, to: &mut [T]) {
    match align_of::<T>() {
        // SAFETY: as the caller promises, here and in the other lines.
        1 => unsafe { load_units::<u8>(from.cast(), cast_slice_mut(to)) },
        // SAFETY: the same.
        2 => unsafe { load_units::<u16>(from.cast(), cast_slice_mut(to)) },
        // SAFETY: the same.
        4 => unsafe { load_units::<u32>(from.cast(), cast_slice_mut(to)) },
        // SAFETY: the same.
        _ => unsafe { load_units::<u64>(from.cast(), cast_slice_mut(to)) },
    }
}

#[inline]
unsafe fn load_units<U: Unit>(from: *const U, to: &mut [U]) {
    if to.len() >= MANY {
        // SAFETY: as the caller of `load` promises, and `to` is as long.
        return unsafe { U::copy_many(from, to.as_mut_ptr(), to.len()) };
    }
    for (n, unit) in to.iter_mut().enumerate() {
        // SAFETY: as the caller of `load` promises.
        *unit = unsafe { U::load(from.wrapping_add(n)) };
    }
}

/// Copies elements in.
///
/// # Safety
///
/// As many are mapped at `to`, aligned, and all who use them use this module or atomics of
/// their alignment.
pub unsafe fn store<T: Pod>(to: *mut T, from: &[T]) {
    match align_of::<T>() {
        // SAFETY: as the caller promises, here and in the other lines.
        1 => unsafe { store_units::<u8>(to.cast(), cast_slice(from)) },
        // SAFETY: the same.
        2 => unsafe { store_units::<u16>(to.cast(), cast_slice(from)) },
        // SAFETY: the same.
        4 => unsafe { store_units::<u32>(to.cast(), cast_slice(from)) },
        // SAFETY: the same.
        _ => unsafe { store_units::<u64>(to.cast(), cast_slice(from)) },
    }
}

#[inline]
unsafe fn store_units<U: Unit>(to: *mut U, from: &[U]) {
    if from.len() >= MANY {
        // SAFETY: as the caller of `store` promises, and `from` is as long.
        return unsafe { U::copy_many(from.as_ptr(), to, from.len()) };
    }
    for (n, unit) in from.iter().enumerate() {
        // SAFETY: as the caller of `store` promises.
        unsafe { U::store(to.wrapping_add(n), *unit) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Pod + PartialEq + std::fmt::Debug>(element: impl Fn(usize) -> T) {
        for length in (0..40).chain(500..540) {
            let elements: Vec<T> = (0..length).map(&element).collect();
            let mut memory = vec![T::zeroed(); length + 2];
            let to = memory.as_mut_ptr().wrapping_add(1);
            // SAFETY: there is one element more on either side, and nobody else has them.
            unsafe { store(to, &elements) };
            let mut back = vec![T::zeroed(); length];
            // SAFETY: the same.
            unsafe { load(to, &mut back) };
            assert_eq!(back, elements);
            assert_eq!(memory[1..=length], elements);
            assert_eq!([memory[0], memory[length + 1]], [T::zeroed(); 2]);
        }
    }

    #[test]
    fn every_unit_and_length() {
        there_and_back(|n| n as u8);
        there_and_back(|n| [n as u8, 1, 2]);
        there_and_back(|n| n as u16 * 100);
        there_and_back(|n| n as f32);
        there_and_back(|n| [n as u32, 7, 9]);
        there_and_back(|n| n as f64);
        there_and_back(|n| n as u128);
    }
}
