//! Shared memory without a lock.

use super::copy;
use super::plain::element_size;
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

/// Elements of plain data in shared memory, without a lock: Python's `RawArray`.
///
/// It is for counters ([`atomics`](RawArray::atomics)), and for programs that make sure
/// themselves that no two processes change an element at the same time. Elements are copied in
/// and out. A number of up to 8 bytes is never torn; an array or a struct may be half old and
/// half new. The others see what a process writes, but not necessarily in the order in which it
/// was written: for an order, use an [`Array`](crate::Array), an [`Event`](crate::Event) or
/// atomics.
///
/// Because an element may be half written, `T` is [`bytemuck::Pod`]: any bits are a value of it.
/// About the memory itself, see [`Array`](crate::Array).
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
///         (0..4).map(|n| Process::spawn(fill, (halves.clone(), n))).collect();
///     for child in children? {
///         child.join()?;
///     }
///     assert_eq!(halves.to_vec(), [0.0, 0.5, 1.0, 1.5]);
///     Ok(())
/// }
///
/// fn fill((halves, n): (RawArray<f64>, usize)) {
///     halves.set(n, n as f64 / 2.0).expect("there are four"); // each child its own
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Memory")]
pub struct RawArray<T: Pod> {
    /// One byte longer than the elements, because an empty file cannot be mapped.
    memory: Memory,
    #[serde(skip)]
    elements: PhantomData<T>,
}

impl<T: Pod> RawArray<T> {
    /// An array of `length` elements, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is not enough memory, or no descriptor left.
    pub fn new(length: usize) -> Result<Self, Error> {
        let bytes = length.saturating_mul(element_size::<T>()).saturating_add(1);
        Ok(Self { memory: Memory::new(Kind::raw_array_of::<T>(), bytes)?, elements: PhantomData })
    }

    /// An array of copies of `elements`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](RawArray::new).
    pub fn from_slice(elements: &[T]) -> Result<Self, Error> {
        let array = Self::new(elements.len())?;
        array.write(0, elements)?;
        Ok(array)
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        (self.memory.area.length - 1) / element_size::<T>()
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

    /// Copies elements out, beginning at `start`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are fewer; then nothing is copied.
    pub fn read(&self, start: usize, elements: &mut [T]) -> Result<(), Error> {
        let from = self.address_of(start, elements.len())?;
        // SAFETY: `address_of` has checked that they exist. They begin at a page, so they are
        // aligned, and stay mapped as long as `self`. The kind of the memory keeps every process to
        // this type, and so to these copies and `atomics`.
        unsafe { copy::load(from, elements) };
        Ok(())
    }

    /// Copies elements in, beginning at `start`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] if there are fewer; then nothing is copied.
    pub fn write(&self, start: usize, elements: &[T]) -> Result<(), Error> {
        let to = self.address_of(start, elements.len())?;
        // SAFETY: as in `read`.
        unsafe { copy::store(to, elements) };
        Ok(())
    }

    fn address_of(&self, start: usize, count: usize) -> Result<*mut T, Error> {
        copy::check_range(start, count, self.len())?;
        Ok(self.memory.area.start.cast::<T>().as_ptr().wrapping_add(start))
    }

    /// A copy of all elements.
    pub fn to_vec(&self) -> Vec<T> {
        let mut elements = vec![T::zeroed(); self.len()];
        let read = self.read(0, &mut elements);
        debug_assert!(read.is_ok(), "the length does not change");
        elements
    }

    /// The elements, each copied when it is asked for.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        (0..self.len()).map_while(|index| self.get(index).ok())
    }
}

impl<T: Atomic> RawArray<T> {
    /// The elements as atomics: for all processes, each operation is one step.
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
        // SAFETY: that many exist, and stay mapped as long as `self`. They begin at a page, so they
        // are aligned. An atomic has the size of its integer, and every process accesses the memory
        // as atomics of this size (`copy`).
        unsafe { slice::from_raw_parts(self.memory.area.start.as_ptr().cast(), self.len()) }
    }
}

impl<T: Pod> TryFrom<Memory> for RawArray<T> {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, String> {
        let memory = memory.checked(Kind::raw_array_of::<T>(), 1)?;
        match (memory.area.length - 1) % element_size::<T>() {
            0 => Ok(Self { memory, elements: PhantomData }),
            _ => Err(keep_reason("it ends with a part of an element".into())),
        }
    }
}

/// A value of plain data in shared memory, without a lock: Python's `RawValue`. It is a
/// [`RawArray`] of one element.
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
///     let children = [Process::spawn(add, count.clone())?, Process::spawn(add, count.clone())?];
///     for child in children {
///         child.join()?;
///     }
///     assert_eq!(count.get(), 2);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "RawArray<T>")]
pub struct RawValue<T: Pod>(RawArray<T>);

impl<T: Pod> RawValue<T> {
    /// Shared memory that holds this value.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(value: T) -> Result<Self, Error> {
        RawArray::from_slice(&[value]).map(Self)
    }

    /// A copy of the value.
    pub fn get(&self) -> T {
        self.0.get(0).unwrap_or_else(|_| unreachable!("there is one element"))
    }

    /// Changes the value. `set(get() + 1)` is two steps, and another process may change the value
    /// between them.
    pub fn set(&self, value: T) {
        self.0.set(0, value).unwrap_or_else(|_| unreachable!("there is one element"));
    }
}

impl<T: Atomic> RawValue<T> {
    /// The value as an atomic: for all processes, each operation is one step.
    pub fn atomic(&self) -> &T::Shared {
        &self.0.atomics()[0]
    }
}

impl<T: Pod> TryFrom<RawArray<T>> for RawValue<T> {
    type Error = String;

    fn try_from(array: RawArray<T>) -> Result<Self, String> {
        match array.len() {
            1 => Ok(Self(array)),
            n => Err(keep_reason(format!("it is an array of {n} elements, not a value"))),
        }
    }
}

/// An integer that has an atomic of the same size. Only this crate implements it.
pub trait Atomic: Pod + sealed::Sealed {
    /// The atomic type.
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
