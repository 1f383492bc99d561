//! Copying to and from memory that other processes may change at the same time.
//!
//! Every access is atomic, and its size is the alignment of the elements, but at most 8 bytes. So
//! all accesses to one place have the same size, as the documentation of `std::sync::atomic`
//! demands.

use crate::Error;
use bytemuck::{Pod, cast_slice, cast_slice_mut};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

/// Checks that `length` elements include those from `start` to `start + count`.
pub fn check_range(start: usize, count: usize, length: usize) -> Result<(), Error> {
    match start.checked_add(count) {
        Some(end) if end <= length => Ok(()),
        _ => Err(Error::OutOfRange { index: start.max(length), length }),
    }
}

/// From this number of units on, the instruction that copies all of them is worth its start.
#[cfg(target_arch = "x86_64")]
const MANY: usize = 64;

/// For each alignment: the unit of the accesses, its atomic, and the instruction that copies many
/// units, one after the other. (A loop over atomics takes three to ten times as long, because the
/// compiler may not join them. The processor may.)
macro_rules! copying_in_units {
    ($($alignment:pat => $unit:ty, $atomic:ty, $instruction:literal;)*) => {
        /// Copies elements out.
        ///
        /// # Safety
        ///
        /// As many elements are mapped at `from`, aligned. All code that changes them meanwhile
        /// does so through this module or through atomics of their alignment.
        pub unsafe fn load<T: Pod>(from: *const T, to: &mut [T]) {
            match align_of::<T>() {
                $($alignment => {
                    let (from, to) = (from.cast::<$unit>(), cast_slice_mut::<T, $unit>(to));
                    #[cfg(target_arch = "x86_64")]
                    if to.len() >= MANY {
                        // SAFETY: the units of `from` are there, as the caller promises, and `to`
                        // is a slice of as many.
                        return unsafe { copy_many!($instruction, from, to.as_mut_ptr(), to.len()) };
                    }
                    for (n, unit) in to.iter_mut().enumerate() {
                        // SAFETY: the caller promises that the unit is mapped and aligned, and is
                        // accessed as this atomic only.
                        *unit = unsafe { &*from.wrapping_add(n).cast::<$atomic>() }.load(Relaxed);
                    }
                })*
            }
        }

        /// Copies elements in.
        ///
        /// # Safety
        ///
        /// As many elements are mapped at `to`, aligned. All code that reads or changes them
        /// meanwhile does so through this module or through atomics of their alignment.
        pub unsafe fn store<T: Pod>(to: *mut T, from: &[T]) {
            match align_of::<T>() {
                $($alignment => {
                    let (to, from) = (to.cast::<$unit>(), cast_slice::<T, $unit>(from));
                    #[cfg(target_arch = "x86_64")]
                    if from.len() >= MANY {
                        // SAFETY: the units of `to` are there, as the caller promises, and `from`
                        // is a slice of as many.
                        return unsafe { copy_many!($instruction, from.as_ptr(), to, from.len()) };
                    }
                    for (n, unit) in from.iter().enumerate() {
                        // SAFETY: as in `load`.
                        unsafe { &*to.wrapping_add(n).cast::<$atomic>() }.store(*unit, Relaxed);
                    }
                })*
            }
        }
    };
}

/// It changes these three registers and the memory at `to`, and nothing else.
#[cfg(target_arch = "x86_64")]
macro_rules! copy_many {
    ($instruction:literal, $from:expr, $to:expr, $count:expr) => {
        std::arch::asm!(
            $instruction,
            inout("rcx") $count => _, inout("rsi") $from => _, inout("rdi") $to => _,
            options(nostack, preserves_flags)
        )
    };
}

copying_in_units! {
    1 => u8, AtomicU8, "rep movsb";
    2 => u16, AtomicU16, "rep movsw";
    4 => u32, AtomicU32, "rep movsd";
    _ => u64, AtomicU64, "rep movsq";
}

#[cfg(test)]
mod tests {
    use crate::{Error, RawArray};
    use bytemuck::Pod;

    fn there_and_back<T: Pod + PartialEq>(element: impl Fn(usize) -> T) -> Result<(), Error> {
        for length in (0..40).chain(500..540) {
            let elements: Vec<T> = (0..length).map(&element).collect();
            let array = RawArray::new(length + 2)?; // one more on either side
            array.write(1, &elements)?;
            let all = [&[T::zeroed()], elements.as_slice(), &[T::zeroed()]].concat();
            assert!(array.to_vec() == all, "{length} elements");
        }
        Ok(())
    }

    #[test]
    fn every_unit_and_length() -> Result<(), Error> {
        there_and_back(|n| n as u8)?;
        there_and_back(|n| [n as u8, 1, 2])?;
        there_and_back(|n| n as u16 * 100)?;
        there_and_back(|n| n as f32)?;
        there_and_back(|n| [n as u32, 7, 9])?;
        there_and_back(|n| n as f64)?;
        there_and_back(|n| n as u128)
    }
}
