//! Many elements with a lock.

use super::Plain;
use super::leak::GuardCount;
use super::plain::element_size;
use crate::Error;
use crate::descriptor::keep_reason;
use crate::memory::{Kind, Memory};
use crate::sync::{Block, Guard, Held, always};
use crate::sys::deadline::deadline;
use bytemuck::Zeroable;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::time::Duration;

/// Elements of plain data in shared memory, with a lock: Python's `Array`.
///
/// To the holder of the lock, the elements are a slice, and using them costs what it costs in
/// ordinary memory. If a process ends while it holds the lock, the next holder is told
/// ([`Error::OwnerDied`]).
///
/// The elements are [`Plain`] data. All of the memory is reserved from the beginning, and no
/// process can shrink it. (Beyond the limit of a container, the system kills a process instead
/// of returning an error: see memory.max in cgroups(7).) A clone is the same array, and so is
/// what another process receives. The memory is freed with the last handle.
///
/// # Example
///
/// ```
/// use multiprocessing::{Array, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let numbers = Array::from_slice(&[1, 2, 3, 4])?;
///     Process::spawn(square, numbers.clone())?.join()?;
///     assert_eq!(*numbers.lock()?, [1, 4, 9, 16]);
///     Ok(())
/// }
///
/// fn square(numbers: Array<i32>) {
///     for number in numbers.lock().expect("no holder dies").iter_mut() {
///         *number *= *number;
///     }
/// }
/// ```
///
/// Two guards in one expression are an error, because both live to its end:
///
/// ```
/// use multiprocessing::{Array, Error};
///
/// let numbers = Array::from_slice(&[1, 2])?;
/// let sum = || -> Result<i32, Error> { Ok(numbers.lock()?[0] + numbers.lock()?[1]) };
/// assert!(matches!(sum(), Err(Error::AlreadyLocked)));
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Memory")]
pub struct Array<T: Plain> {
    pub(super) block: Block,
    #[serde(skip)]
    elements: PhantomData<T>,
}

impl<T: Plain> Array<T> {
    /// An array of `length` elements, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is not enough memory, or no descriptor left.
    pub fn new(length: usize) -> Result<Self, Error>
    where
        T: Zeroable,
    {
        Self::uninitialised(length)
    }

    /// The elements are zero, which may not be a value of `T`.
    fn uninitialised(length: usize) -> Result<Self, Error> {
        let bytes = length.saturating_mul(element_size::<T>());
        let block = Block::new(Kind::array_of::<T>(), bytes)?;
        Ok(Self { block, elements: PhantomData })
    }

    /// An array of copies of `elements`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Array::new).
    pub fn from_slice(elements: &[T]) -> Result<Self, Error> {
        let array = Self::uninitialised(elements.len())?;
        let start = array.elements().cast::<T>().as_ptr();
        // SAFETY: the block has room for them, aligned to 16, and is mapped as long as `array`. No
        // other process or thread has it yet.
        unsafe { start.copy_from_nonoverlapping(elements.as_ptr(), elements.len()) };
        Ok(array)
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.elements().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the lock and takes it. If the guard is forgotten, the lock stays held, and the
    /// end of the thread aborts the process, because references from the guard may still be in
    /// use.
    ///
    /// # Errors
    ///
    /// [`Error::OwnerDied`] if a holder ended while it held the lock, and nobody has called
    /// [`lock_or_repair`](Array::lock_or_repair) since; [`Error::AlreadyLocked`] if this thread
    /// has a guard of this array; [`Error::System`] if this thread already has 2,048 guards, and
    /// in a destructor that runs at the end of a thread. After an error the lock is not taken.
    ///
    /// A guard in a thread-local variable counts as forgotten at the end of the thread, too.
    #[inline]
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>, Error> {
        let count = GuardCount::new()?; // before the lock, to hold it no longer than needed
        // Not with map and map_err, which copy the guard once more: that costs 15 ns.
        match self.block.lock() {
            Ok(held) => Ok(self.guard(held, count)),
            Err(error) => Err(already_locked(error)),
        }
    }

    /// Takes the lock if it is free. As [`std::sync::Mutex::try_lock`], it returns an error if the
    /// lock is held.
    ///
    /// # Errors
    ///
    /// [`Error::WouldBlock`] if the lock is held, also by this thread; the others of
    /// [`lock`](Array::lock).
    pub fn try_lock(&self) -> Result<ArrayGuard<'_, T>, Error> {
        let count = GuardCount::new()?;
        let held = self.block.try_lock()?.ok_or(Error::WouldBlock)?;
        Ok(self.guard(held, count))
    }

    /// Waits for the lock and takes it, but no longer than `timeout` (of the monotonic clock).
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if the lock was not free within that time; those of
    /// [`lock`](Array::lock).
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ArrayGuard<'_, T>, Error> {
        let count = GuardCount::new()?;
        let held = self.block.lock_until(deadline(timeout)).map_err(already_locked)?;
        Ok(self.guard(held.ok_or(Error::TimedOut)?, count))
    }

    /// Waits for the lock and takes it. If a holder ended while it held the lock, this first calls
    /// `repair`, under the lock, to restore the elements. An element that the holder left half
    /// written, and that is not a value of `T`, has been zeroed by then.
    ///
    /// # Errors
    ///
    /// Those of [`lock`](Array::lock), except [`Error::OwnerDied`]; [`Error::Decode`] for a
    /// half-written element of a type that has no zero.
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut [T]),
    ) -> Result<ArrayGuard<'_, T>, Error> {
        let count = GuardCount::new()?;
        let repair = || {
            self.zero_torn_elements()?;
            // SAFETY: the elements are mapped, aligned and, by now, values of `T`. This thread has
            // the lock and no guard. Nor has a thread that died: one whose guard was leaked does
            // not end without the process (`GuardCount`).
            repair(unsafe { self.elements().as_mut() });
            Ok(())
        };
        let held = self.block.lock_or_repair(None, repair).map_err(already_locked)?;
        Ok(self.guard(always(held), count))
    }

    /// Whether the lock is held at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if this thread already has 2,048 guards.
    pub fn is_locked(&self) -> Result<bool, Error> {
        self.block.is_locked()
    }

    #[inline]
    fn guard<'a>(&'a self, held: Held<'a>, count: GuardCount) -> ArrayGuard<'a, T> {
        ArrayGuard { held, elements: self.elements(), _count: count }
    }

    #[inline]
    fn elements(&self) -> NonNull<[T]> {
        let (start, bytes) = self.block.data();
        NonNull::slice_from_raw_parts(start.cast(), bytes / element_size::<T>())
    }

    /// Call it while the lock is held and there is no guard.
    fn zero_torn_elements(&self) -> Result<(), Error> {
        let elements = self.elements();
        let bits = NonNull::slice_from_raw_parts(elements.cast::<T::Bits>(), elements.len());
        // SAFETY: `T::Bits` has the size and alignment of `T` (bytemuck), and any bits are a value
        // of it. The lock is held and there is no guard, so no other reference is in use.
        let elements = unsafe { { bits }.as_mut() };
        for bits in elements.iter_mut().filter(|bits| !T::is_valid_bit_pattern(bits)) {
            *bits = T::Bits::zeroed();
            if !T::is_valid_bit_pattern(bits) {
                let reason = "its holder died while it changed an element".to_string();
                return Err(Error::Decode { what: type_name::<T>().into(), reason });
            }
        }
        Ok(())
    }
}

/// For a thread, to hold this lock is to have a guard.
#[cold]
fn already_locked(error: Error) -> Error {
    match error {
        Error::AlreadyHeld => Error::AlreadyLocked,
        error => error,
    }
}

impl<T: Plain> TryFrom<Memory> for Array<T> {
    type Error = String;

    fn try_from(memory: Memory) -> Result<Self, String> {
        let array = Self {
            block: Block::received(memory, Kind::array_of::<T>(), 0)?,
            elements: PhantomData,
        };
        match array.block.data().1 % element_size::<T>() {
            0 => Ok(array),
            _ => Err(keep_reason("it ends with a part of an element".into())),
        }
    }
}

impl<T: Plain> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Array").field("len", &self.len()).field("lock", &self.block).finish()
    }
}

/// The elements of an [`Array`], as a slice. The lock is held until this is dropped. The copy in
/// a forked child does nothing when it is dropped.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct ArrayGuard<'a, T> {
    held: Held<'a>,
    /// Not a reference: while a [`Condition`](crate::Condition) waits, others change them.
    elements: NonNull<[T]>,
    _count: GuardCount,
}

impl<T> Deref for ArrayGuard<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the memory is of this type's kind, so it holds aligned values of `T` that only
        // guards of `T` change. This guard has the lock, so there is no other one, and `held`
        // borrows the block, which keeps the memory mapped.
        unsafe { self.elements.as_ref() }
    }
}

impl<T> DerefMut for ArrayGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `self`, the only guard, is borrowed mutably.
        unsafe { self.elements.as_mut() }
    }
}

impl<T: fmt::Debug> fmt::Debug for ArrayGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> Guard for ArrayGuard<'_, T> {
    type Data = [T];

    fn held(&self) -> &Held<'_> {
        &self.held
    }

    fn data(&mut self) -> &mut [T] {
        self
    }
}
