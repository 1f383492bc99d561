//! Memory that several processes see.

mod array;
mod copy;
mod name;
mod named;
mod raw;
mod tracker;
mod value;

pub use array::{Array, ArrayGuard};
pub use named::SharedMemory;
pub use raw::{Atomic, RawArray, RawValue};
pub use value::{Value, ValueGuard};
