//! Memory that several processes see.

mod array;
mod copy;
mod leak;
mod name;
mod named;
mod plain;
mod raw;
mod value;

pub use array::{Array, ArrayGuard};
pub use named::SharedMemory;
pub use plain::Plain;
pub use raw::{Atomic, RawArray, RawValue};
pub use value::{Value, ValueGuard};
