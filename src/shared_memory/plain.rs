//! Which data can be shared.

use bytemuck::{CheckedBitPattern, NoUninit};

/// Plain data, which means the same in every process: integers, floats, `bool`, `char`,
/// arrays of numbers, and structs and enums of one's own that derive it.
///
/// It has no pointers and no padding, and it is `Copy`. You never implement it; derive
/// what it consists of with the crate `bytemuck` and its feature `derive`: `Pod` and
/// `Zeroable` for a struct of numbers, `NoUninit` and `CheckedBitPattern` for an enum
/// without fields or a struct in which not every bit pattern is a value.
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
    note = "only plain data can, without pointers and padding: numbers, `bool`, `char`, arrays and structs of them",
    note = "text goes into an array of bytes; what is on the heap travels through a `Connection`"
)]
pub trait Plain: CheckedBitPattern + NoUninit {}

impl<T: CheckedBitPattern + NoUninit> Plain for T {}

/// The size of an element, in bytes. The compiler checks that there is one, and that the
/// type may stand where data begins: at an address that 16 divides.
#[inline]
pub fn element_size<T>() -> usize {
    const { assert!(size_of::<T>() > 0, "a type without a size has nothing to share") };
    const { assert!(align_of::<T>() <= 16, "the type is aligned to more than 16 bytes") };
    size_of::<T>()
}
