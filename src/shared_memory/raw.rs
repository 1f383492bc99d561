//! Shared memory without a lock.

use super::array::element_size;
use super::copy;
use crate::Error;
use crate::descriptor::keep_reason;
use crate::memory::{Kind, Memory};
use bytemuck::Pod;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::slice;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

/// So many elements of plain data in shared memory, without a lock: Python's
/// `RawArray`.
///
/// It is for programs that take care themselves that no two processes change an
/// element at the same time, and for counters ([`atomics`](RawArray::atomics)).
/// Elements are copied in and out. A number is never torn; an element of more than 8
/// bytes may be half old and half new. What one process writes another one sees, but
/// not necessarily in the same order: for an order, take an [`Array`](crate::Array),
/// an [`Event`](crate::Event) or atomics.
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, RawArray};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let halves = RawArray::from_slice(&[0.0; 4])?;
///     let children: Result<Vec<_>, _> =
///         (0..4).map(|n| Process::spawn(fill, (halves.try_clone()?, n))).collect();
///     for child in children? {
///         child.join()?;
///     }
///     assert_eq!(halves.to_vec(), [0.0, 0.5, 1.0, 1.5]);
///     Ok(())
/// }
///
/// fn fill((halves, n): (RawArray<f64>, usize)) {
///     halves.set(n, n as f64 / 2.0).expect("there are four"); // each its own
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Memory")]
pub struct RawArray<T: Pod> {
    /// One byte longer than the elements: none can be mapped without any.
    memory: Memory,
    #[serde(skip)]
    holds: PhantomData<T>,
}

impl<T: Pod> RawArray<T> {
    /// So many elements, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is not so much memory, or no descriptor left.
    pub fn new(length: usize) -> Result<Self, Error> {
        let bytes = length.saturating_mul(element_size::<T>()).saturating_add(1);
        Ok(Self { memory: Memory::new(Kind::Raw, bytes)?, holds: PhantomData })
    }

    /// A copy of `elements`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](RawArray::new).
    pub fn from_slice(elements: &[T]) -> Result<Self, Error> {
        let array = Self::new(elements.len())?;
        array.write(0, elements)?;
        Ok(array)
    }

    /// Another handle of the same array, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self { memory: self.memory.try_clone()?, holds: PhantomData })
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        (self.memory.len() - 1) / element_size::<T>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of an element.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`].
    pub fn get(&self, index: usize) -> Result<T, Error> {
        let mut element = T::zeroed();
        self.read(index, slice::from_mut(&mut element))?;
        Ok(element)
    }

    /// Changes an element.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`].
    pub fn set(&self, index: usize, element: T) -> Result<(), Error> {
        self.write(index, slice::from_ref(&element))
    }

    /// Copies elements out, from `start` on.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are not so many; then nothing is copied.
    pub fn read(&self, start: usize, elements: &mut [T]) -> Result<(), Error> {
        let place = self.place(start, elements.len())?;
        // SAFETY: so many are there, and all accesses are atomic.
        unsafe { copy::load(place, bytemuck::cast_slice_mut(elements)) };
        Ok(())
    }

    /// Copies elements in, from `start` on.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are not so many; then nothing is copied.
    pub fn write(&self, start: usize, elements: &[T]) -> Result<(), Error> {
        let place = self.place(start, elements.len())?;
        // SAFETY: so many are there, and all accesses are atomic.
        unsafe { copy::store(place, bytemuck::cast_slice(elements)) };
        Ok(())
    }

    fn place(&self, start: usize, count: usize) -> Result<*mut u8, Error> {
        copy::check_range(start, count, self.len())?;
        Ok(self.memory.start().as_ptr().wrapping_add(start * element_size::<T>()))
    }

    /// A copy of all elements.
    pub fn to_vec(&self) -> Vec<T> {
        let mut elements = vec![T::zeroed(); self.len()];
        let read = self.read(0, &mut elements);
        debug_assert!(read.is_ok(), "there are as many as there are");
        elements
    }

    /// Copies of the elements, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        (0..self.len()).map_while(|index| self.get(index).ok())
    }
}

impl<T: Atomic> RawArray<T> {
    /// The elements as atomics: each operation is one step for all processes.
    ///
    /// ```
    /// use multiprocessing::RawArray;
    /// use std::sync::atomic::Ordering::Relaxed;
    ///
    /// let counters = RawArray::<u64>::new(10)?;
    /// counters.atomics()[3].fetch_add(1, Relaxed);
    /// assert_eq!(counters.get(3)?, 1);
    /// # Ok::<(), multiprocessing::Error>(())
    /// ```
    pub fn atomics(&self) -> &[T::Shared] {
        // SAFETY: so many are there, aligned, of the same size, and all accesses are
        // atomic.
        unsafe { slice::from_raw_parts(self.memory.start().as_ptr().cast(), self.len()) }
    }
}

impl<T: Pod> TryFrom<Memory> for RawArray<T> {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, String> {
        let memory = memory.made_for(Kind::Raw)?;
        match (memory.len() - 1) % element_size::<T>() {
            0 => Ok(Self { memory, holds: PhantomData }),
            _ => {
                let bytes = memory.len();
                Err(keep_reason(format!("{bytes} bytes of shared memory are no array of these")))
            }
        }
    }
}

/// A value of plain data in shared memory, without a lock: Python's `RawValue`. What
/// a [`RawArray`] is to an [`Array`](crate::Array), this is to a
/// [`Value`](crate::Value).
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, RawValue};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let count = RawValue::new(0u64)?;
///     let add = |count: RawValue<u64>| count.atomic().fetch_add(1, Relaxed);
///     let children = [Process::spawn(add, count.try_clone()?)?, Process::spawn(add, count.try_clone()?)?];
///     for child in children {
///         child.join()?;
///     }
///     assert_eq!(count.get(), 2);
///     Ok(())
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "RawArray<T>")]
pub struct RawValue<T: Pod>(RawArray<T>);

impl<T: Pod> RawValue<T> {
    /// With this value at first.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(value: T) -> Result<Self, Error> {
        RawArray::from_slice(&[value]).map(Self)
    }

    /// Another handle of the same value, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    /// A copy of the value.
    pub fn get(&self) -> T {
        // There is one, from the beginning.
        self.0.get(0).unwrap_or_else(|_| unreachable!())
    }

    /// Changes the value. `set(get() + 1)` is two steps: another process may come in
    /// between.
    pub fn set(&self, value: T) {
        self.0.set(0, value).unwrap_or_else(|_| unreachable!());
    }
}

impl<T: Atomic> RawValue<T> {
    /// The value as an atomic: each operation is one step for all processes.
    pub fn atomic(&self) -> &T::Shared {
        &self.0.atomics()[0]
    }
}

impl<T: Pod> TryFrom<RawArray<T>> for RawValue<T> {
    type Error = String;

    fn try_from(array: RawArray<T>) -> Result<Self, String> {
        match array.len() {
            1 => Ok(Self(array)),
            n => Err(keep_reason(format!("shared memory of {n} values, not of one"))),
        }
    }
}

/// Integers that have an atomic of the same size. Only this crate implements it.
pub trait Atomic: Pod + sealed::Sealed {
    /// The atomic.
    type Shared;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! atomic {
    ($($integer:ty => $atomic:ty),*) => {$(
        impl sealed::Sealed for $integer {}
        impl Atomic for $integer {
            type Shared = $atomic;
        }
    )*};
}

atomic!(
    i8 => AtomicI8, i16 => AtomicI16, i32 => AtomicI32, i64 => AtomicI64, isize => AtomicIsize,
    u8 => AtomicU8, u16 => AtomicU16, u32 => AtomicU32, u64 => AtomicU64, usize => AtomicUsize
);
