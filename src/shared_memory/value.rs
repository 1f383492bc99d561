//! One value, with a lock.

use super::array::{Array, ArrayGuard};
use crate::Error;
use crate::descriptor::keep_reason;
use crate::sync::{Guard, Held};
use bytemuck::Pod;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// A value of plain data in shared memory, with a lock: Python's `Value`.
///
/// In Python, `value.value += 1` reads and writes, and another process may come in
/// between; one must remember `get_lock()`. Here there is no way to the value but
/// through the lock. All else is as in an [`Array`].
///
/// # Example
///
/// ```
/// use multiprocessing::{Process, Value};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let total = Value::new(0.5)?;
///     Process::spawn(add_one, total.try_clone()?)?.join()?;
///     assert_eq!(*total.lock()?, 1.5);
///     Ok(())
/// }
///
/// fn add_one(total: Value<f64>) {
///     *total.lock().expect("no holder dies") += 1.0;
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Array<T>")]
pub struct Value<T: Pod>(Array<T>);

impl<T: Pod> Value<T> {
    /// With this value at first.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no memory or no descriptor left for it.
    pub fn new(value: T) -> Result<Self, Error> {
        Array::from_slice(&[value]).map(Self)
    }

    /// Another handle of the same value, to be given away.
    ///
    /// # Errors
    ///
    /// [`Error::System`] if there is no descriptor left for it.
    pub fn try_clone(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self)
    }

    /// Waits for the lock and takes it, as [`Array::lock`].
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock`].
    #[inline]
    pub fn lock(&self) -> Result<ValueGuard<'_, T>, Error> {
        self.0.lock().map(ValueGuard)
    }

    /// The same, but if a holder ended while it held the lock, `repair` is called first,
    /// under the lock: it puts the value in order.
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock_or_repair`].
    pub fn lock_or_repair(&self, repair: impl FnOnce(&mut T)) -> Result<ValueGuard<'_, T>, Error> {
        self.0.lock_or_repair(|values| repair(&mut values[0])).map(ValueGuard)
    }

    /// Waits for the lock, but no longer than `timeout`, by the monotonic clock:
    /// `None` if it is not free then.
    ///
    /// # Errors
    ///
    /// Those of [`Array::lock`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Option<ValueGuard<'_, T>>, Error> {
        Ok(self.0.lock_timeout(timeout)?.map(ValueGuard))
    }
}

impl<T: Pod> TryFrom<Array<T>> for Value<T> {
    type Error = String;

    fn try_from(array: Array<T>) -> Result<Self, String> {
        match array.len() {
            1 => Ok(Self(array)),
            n => Err(keep_reason(format!("shared memory of {n} values, not of one"))),
        }
    }
}

/// The value of a [`Value`]; the lock is held until it is dropped.
#[derive(Debug)]
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

impl<T> Guard for ValueGuard<'_, T> {
    fn held(&self) -> &Held<'_> {
        self.0.held()
    }
}
