//! The data that can be shared.

use bytemuck::{CheckedBitPattern, NoUninit};

/// Plain data, whose bits mean the same in every process: integers, floats, `bool`, `char`,
/// arrays of numbers, and your own structs and enums of them.
///
/// It has no pointers and no padding, and it is `Copy`. You never implement this trait. Derive
/// those that it consists of, with the crate `bytemuck` and its feature `derive`: `Pod` and
/// `Zeroable` for a struct of numbers; `NoUninit` and `CheckedBitPattern` for an enum without
/// fields, or for a struct in which not every bit pattern is a value.
///
/// ```
/// use bytemuck::{CheckedBitPattern, NoUninit};
/// use multiprocessing::Value;
///
/// #[derive(Clone, Copy, Debug, PartialEq, NoUninit, CheckedBitPattern)]
/// #[repr(u8)]
/// enum Light {
///     Red,
///     Green,
/// }
///
/// let light = Value::new(Light::Red)?;
/// *light.lock()? = Light::Green;
/// assert_eq!(*light.lock()?, Light::Green);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lie in shared memory",
    note = "only plain data can, without pointers and padding: numbers, `bool`, `char`, arrays of numbers, and structs and enums that derive `bytemuck::NoUninit` and `CheckedBitPattern`; no tuple, no `Option`",
    note = "text goes into an array of bytes; what is on the heap travels through a `Connection`"
)]
pub trait Plain: CheckedBitPattern + NoUninit {}

impl<T: CheckedBitPattern + NoUninit> Plain for T {}

/// The size of an element, in bytes. The compiler checks that it is not 0, and that 16, to which
/// the data is aligned, is enough for the type.
#[inline]
pub fn element_size<T>() -> usize {
    const { assert!(size_of::<T>() > 0, "a type without a size has nothing to share") };
    const { assert!(align_of::<T>() <= 16, "the type is aligned to more than 16 bytes") };
    size_of::<T>()
}
