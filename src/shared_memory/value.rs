//! One value, with a lock.

use super::Plain;
use super::array::{Array, ArrayGuard};
use crate::Error;
use crate::descriptor::keep_reason;
use crate::sync::{Guard, Held};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// A value of plain data in shared memory, with a lock: Python's `Value`.
///
/// In Python, `value.value += 1` reads and then writes, and another process may change the value
/// in between unless the program remembers `get_lock()`. Here the only way to the value is
/// through the lock. In all else it is an [`Array`] of one element.
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, Value};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let total = Value::new(0.5)?;
///     Process::spawn(add_one, total.clone())?.join()?;
///     assert_eq!(*total.lock()?, 1.5);
///     Ok(())
/// }
///
/// fn add_one(total: Value<f64>) {
///     *total.lock().expect("no holder dies") += 1.0;
/// }
/// ```
///
/// Text is on the heap, and cannot be in shared memory:
///
/// ```compile_fail
/// multiprocessing::Value::new("text".to_string())?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Array<T>")]
pub struct Value<T: Plain>(Array<T>);

impl<T: Plain> Value<T> {
    /// Shared memory that holds this value.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(value: T) -> Result<Self, Error> {
        Array::from_slice(&[value]).map(Self)
    }

    /// Waits for the lock and takes it. See [`Array::lock`], which also says what happens if the
    /// guard is forgotten.
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock`].
    #[inline]
    pub fn lock(&self) -> Result<ValueGuard<'_, T>, Error> {
        self.0.lock().map(ValueGuard)
    }

    /// Takes the lock if it is free. See [`Array::try_lock`].
    ///
    /// # Errors
    ///
    /// Those of [`Array::try_lock`].
    pub fn try_lock(&self) -> Result<ValueGuard<'_, T>, Error> {
        self.0.try_lock().map(ValueGuard)
    }

    /// Waits for the lock and takes it, but no longer than `timeout` (of the monotonic clock).
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock_timeout`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ValueGuard<'_, T>, Error> {
        self.0.lock_timeout(timeout).map(ValueGuard)
    }

    /// Waits for the lock and takes it. If a holder ended while it held the lock, this first calls
    /// `repair`, under the lock, to restore the value.
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock_or_repair`].
    pub fn lock_or_repair(&self, repair: impl FnOnce(&mut T)) -> Result<ValueGuard<'_, T>, Error> {
        self.0.lock_or_repair(|values| repair(&mut values[0])).map(ValueGuard)
    }

    /// Whether the lock is held at this moment.
    ///
    /// # Errors
    ///
    /// Those of [`Array::is_locked`].
    pub fn is_locked(&self) -> Result<bool, Error> {
        self.0.is_locked()
    }
}

impl<T: Plain> TryFrom<Array<T>> for Value<T> {
    type Error = String;

    fn try_from(array: Array<T>) -> Result<Self, String> {
        match array.len() {
            1 => Ok(Self(array)),
            n => Err(keep_reason(format!("it is an array of {n} elements, not a value"))),
        }
    }
}

impl<T: Plain> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Value").field(&self.0.block).finish()
    }
}

/// The value of a [`Value`]. The lock is held until this is dropped.
#[must_use = "the lock is free again when the guard is dropped"]
pub struct ValueGuard<'a, T>(ArrayGuard<'a, T>);

impl<T> Deref for ValueGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0[0]
    }
}

impl<T> DerefMut for ValueGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0[0]
    }
}

impl<T: fmt::Debug> fmt::Debug for ValueGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for ValueGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> Guard for ValueGuard<'_, T> {
    type Data = T;

    fn held(&self) -> &Held<'_> {
        self.0.held()
    }

    fn data(&mut self) -> &mut T {
        self
    }
}
