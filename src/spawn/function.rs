//! The place of a function in the executable. A child runs the same file, so it needs nothing else
//! to find the function.
//!
//! Each process may have the file at another address, so the place is counted from a `static`. (A
//! *function* would not do: in a release build, it can have two addresses.)

use crate::{Error, sys};
use serde::{Deserialize, Serialize};
use std::mem;

// ANCHOR: function
static BASE: u8 = 0;

/// The distance of a function from `BASE`, in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Function(isize);

impl Function {
    /// # Errors
    ///
    /// If the function is not in the executable, but in a shared library.
    pub fn new(function: *const ()) -> Result<Self, Error> {
        let this = Self((function as isize).wrapping_sub(base()));
        this.address().map(|_| this)
    }

    /// The function's address in this process, after a check that it is code of the executable.
    pub fn address(self) -> Result<*const (), Error> {
        let address = base().wrapping_add(self.0) as usize;
        match sys::is_code_of_executable(address) {
            true => Ok(address as *const ()),
            false => Err(Error::NotInExecutable),
        }
    }
}
// ANCHOR_END: function

impl Function {
    /// The function itself.
    ///
    /// # Safety
    ///
    /// `F` is a type of function pointers, and the function was made from one of this type.
    pub unsafe fn as_fn<F: Copy>(self) -> Result<F, Error> {
        const { assert!(size_of::<F>() == size_of::<*const ()>()) };
        let address = self.address()?;
        // SAFETY: `F` has the size of an address, and is a function pointer: the caller promises
        // that. `address` is that of the same code as in the process that made this: both run
        // the same executable, and count from the same static. The code has the type `F`.
        Ok(unsafe { mem::transmute_copy::<*const (), F>(&address) })
    }
}

fn base() -> isize {
    &raw const BASE as isize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_of_the_executable_is_an_error() {
        let (local, global) = (0u8, &raw const BASE as *const ());
        let library = libc::getpid as *const ();
        let null = std::ptr::null();
        for address in [&raw const local as *const (), global, library, null] {
            assert!(matches!(Function::new(address), Err(Error::NotInExecutable)));
        }
        for distance in [0, isize::MIN, isize::MAX, 1 << 30] {
            assert!(Function(distance).address().is_err());
        }
    }
}
