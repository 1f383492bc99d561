//! Many elements, with a lock.

use crate::Error;
use crate::descriptor::keep_reason;
use crate::memory::Kind;
use crate::sync::{Block, Guard, Held};
use crate::sys::futex::deadline;
use bytemuck::Pod;
use nix::unistd::{getpid, gettid};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::process::abort;
use std::ptr::NonNull;
use std::time::Duration;

/// So many elements of plain data in shared memory, with a lock: Python's `Array`.
///
/// For the one who holds the lock the elements are a slice; reading, writing and
/// copying them costs what it costs in memory of one's own. If a process ends while
/// it holds the lock, the next one is told ([`Error::OwnerDied`]).
///
/// `T` is plain data in which every bit pattern is a value ([`bytemuck::Pod`]):
/// integers, floats, arrays and structs of them. All of the memory is there from the
/// beginning, and no process can shrink it. It is gone when the last handle is. An
/// array travels to a child in the arguments of a [`Process`](crate::Process), and
/// through a [`Connection`](crate::Connection).
///
/// # Example
///
/// ```
/// use multiprocessing::{Array, Process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let numbers = Array::from_slice(&[1, 2, 3, 4])?;
///     Process::spawn(square, numbers.try_clone()?)?.join()?;
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
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Block")]
pub struct Array<T: Pod> {
    block: Block,
    #[serde(skip)]
    holds: PhantomData<T>,
}

impl<T: Pod> Array<T> {
    /// So many elements, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is not so much memory, or no descriptor left.
    pub fn new(length: usize) -> Result<Self, Error> {
        let bytes = length.saturating_mul(element_size::<T>());
        Ok(Self { block: Block::new(Kind::Lock, false, bytes)?, holds: PhantomData })
    }

    /// A copy of `elements`.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Array::new).
    pub fn from_slice(elements: &[T]) -> Result<Self, Error> {
        let array = Self::new(elements.len())?;
        array.lock()?.copy_from_slice(elements);
        Ok(array)
    }

    /// Another handle of the same array, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self { block: self.block.try_clone()?, holds: PhantomData })
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.block.data().1 / element_size::<T>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits for the lock and takes it. If the guard is forgotten, the lock stays held,
    /// and the end of the thread ends the process (`abort`): what the guard gave out could
    /// still be used.
    ///
    /// # Errors
    ///
    /// [`Error::OwnerDied`] if a holder ended while it held it, and nobody has called
    /// [`lock_or_repair`](Array::lock_or_repair) since; [`Error::AlreadyHeld`] if this
    /// thread holds it. Then the lock is not taken.
    #[inline]
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>, Error> {
        let alive = Alive::new(); // not under the lock: others wait for it
        self.block.lock().map(|held| self.guard(held, alive))
    }

    /// The same, but if a holder ended while it held the lock, `repair` is called first,
    /// under the lock: it puts the elements in order.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyHeld`] if this thread holds the lock.
    pub fn lock_or_repair(
        &self,
        repair: impl FnOnce(&mut [T]),
    ) -> Result<ArrayGuard<'_, T>, Error> {
        let mut elements = self.elements();
        // SAFETY: it is called under the lock, and nobody has a guard: a thread that has
        // leaked one does not end (`Watch`).
        let repair = || repair(unsafe { elements.as_mut() });
        let alive = Alive::new();
        self.block.lock_or_repair(repair).map(|held| self.guard(held, alive))
    }

    /// Waits for the lock, but no longer than `timeout`, by the monotonic clock:
    /// `None` if it is not free then.
    ///
    /// # Errors
    ///
    /// Those of [`lock`](Array::lock).
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Option<ArrayGuard<'_, T>>, Error> {
        let alive = Alive::new();
        let held = self.block.lock_until(deadline(timeout))?;
        Ok(held.map(|held| self.guard(held, alive)))
    }

    #[inline]
    fn guard<'a>(&'a self, held: Held<'a>, alive: Alive) -> ArrayGuard<'a, T> {
        ArrayGuard { held, elements: self.elements(), _alive: alive }
    }

    #[inline]
    fn elements(&self) -> NonNull<[T]> {
        let (start, bytes) = self.block.data();
        NonNull::slice_from_raw_parts(start.cast(), bytes / element_size::<T>())
    }
}

/// Checked when it is compiled: the data stands at an address that 16 divides.
#[inline]
pub fn element_size<T>() -> usize {
    const { assert!(size_of::<T>() > 0, "a type without a size has nothing to share") };
    const { assert!(align_of::<T>() <= 16, "the type is aligned to more than 16 bytes") };
    size_of::<T>()
}

impl<T: Pod> TryFrom<Block> for Array<T> {
    type Error = String;

    fn try_from(block: Block) -> Result<Self, String> {
        let (_, bytes) = block.data();
        match bytes % element_size::<T>() {
            0 => Ok(Self { block, holds: PhantomData }),
            _ => Err(keep_reason(format!("{bytes} bytes of shared memory are no array of these"))),
        }
    }
}

/// The elements of an [`Array`], as a slice; the lock is held until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is free again when the guard is dropped"]
pub struct ArrayGuard<'a, T> {
    held: Held<'a>,
    /// A pointer: while a [`Condition`](crate::Condition) waits, others change them.
    elements: NonNull<[T]>,
    _alive: Alive,
}

/// Counts the guards of a thread. One may be leaked, and what it gave out goes to
/// another thread; then this one must not end, because the system would give the lock
/// to somebody else.
#[derive(Debug)]
struct Alive;

thread_local! {
    /// How many there are. `WATCHED`: and `WATCH` will look at it when the thread ends.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    static WATCH: Watch = const { Watch };
}

const WATCHED: usize = 1 << (usize::BITS - 1);

struct Watch;

impl Alive {
    #[inline]
    fn new() -> Self {
        if GUARDS.get() & WATCHED == 0 {
            Self::watch();
        }
        GUARDS.set(GUARDS.get() + 1);
        Self
    }

    /// A variable is destroyed at the end of the thread if it was used once.
    #[cold]
    fn watch() {
        let _ = WATCH.try_with(|_| GUARDS.set(GUARDS.get() | WATCHED));
    }
}

impl Drop for Alive {
    #[inline]
    fn drop(&mut self) {
        GUARDS.set(GUARDS.get() - 1);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if GUARDS.get() & !WATCHED > 0 && gettid() != getpid() {
            eprintln!("multiprocessing: a thread ended whose guard of shared memory was forgotten");
            abort();
        }
    }
}

impl<T> Deref for ArrayGuard<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `T` is plain data, the lock is held, and the block stays mapped.
        unsafe { self.elements.as_ref() }
    }
}

impl<T> DerefMut for ArrayGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`.
        unsafe { self.elements.as_mut() }
    }
}

impl<T> Guard for ArrayGuard<'_, T> {
    fn held(&self) -> &Held<'_> {
        &self.held
    }
}
