//! File descriptors in messages. The bytes hold a number; the descriptor itself travels beside
//! them, in a table.
//!
//! serde passes no such table to a `Serialize`, so while a message is encoded or decoded, its
//! table is in a thread-local variable.

use crate::sys::{memfd, packet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The descriptors of a message by their numbers; `None` for one that was taken.
pub type Table = Vec<Option<OwnedFd>>;

// These have no destructors, so that other destructors can send at the end of a thread.
thread_local! {
    static TABLE: RefCell<ManuallyDrop<Option<Table>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    /// The text of an error, which postcard drops.
    static REASON: Cell<ManuallyDrop<Option<String>>> =
        const { Cell::new(ManuallyDrop::new(None)) };
}

fn replace_table(table: Option<Table>) -> Option<Table> {
    ManuallyDrop::into_inner(TABLE.replace(ManuallyDrop::new(table)))
}

fn replace_reason(reason: Option<String>) -> Option<String> {
    ManuallyDrop::into_inner(REASON.replace(ManuallyDrop::new(reason)))
}

/// Before a value is encoded or decoded: an earlier reason is not its own.
pub fn forget_reason() {
    replace_reason(None);
}

/// Calls `work`, which puts descriptors into `table` or takes them out.
pub fn with<T>(table: &mut Table, work: impl FnOnce() -> T) -> T {
    let restore = Restore(replace_table(Some(std::mem::take(table))));
    let result = work();
    *table = replace_table(None).unwrap_or_default();
    drop(restore);
    result
}

/// Puts the earlier table back, even after a panic.
struct Restore(Option<Table>);

impl Drop for Restore {
    fn drop(&mut self) {
        replace_table(self.0.take());
    }
}

/// Makes the descriptor of a field the descriptor of its struct.
macro_rules! descriptor_of_field {
    ([$($parameters:tt)*] $type:ty, $field:ident, $(#[$doc:meta])*) => {
        impl<$($parameters)*> std::os::fd::AsFd for $type {
            $(#[$doc])*
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.$field.as_fd()
            }
        }

        impl<$($parameters)*> std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }
    };
}
pub(crate) use descriptor_of_field;

/// Why the last encoding or decoding failed, if the reason is this crate's.
pub fn take_reason() -> Option<String> {
    replace_reason(None)
}

/// An error of serde that keeps its text.
pub fn custom<E: serde::de::Error>(error: crate::Error) -> E {
    E::custom(keep_reason(error.to_string()))
}

/// Keeps the text of an error, which postcard drops.
pub fn keep_reason(reason: String) -> String {
    replace_reason(Some(reason.clone()));
    reason
}

/// A file descriptor that can be sent to another process: an open file, a socket, an end of a
/// pipe.
///
/// It travels in the arguments or the result of a [`Process`](crate::Process), or through a
/// [`Connection`](crate::Connection). Sending it duplicates it, and the copy is closed when the
/// receiver drops it. Python's counterpart is `multiprocessing.reduction.DupFd`.
///
/// Only messages of this crate can carry it. Serialising it into anything else, such as JSON,
/// is an error. A message carries at most 252 descriptors, one fewer than the limit of
/// `SCM_RIGHTS` (unix(7)).
///
/// ```
/// use multiprocessing::{Descriptor, Error, Process};
/// use std::fs::File;
/// use std::io::{Read, Write, pipe};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     multiprocessing::init();
///     let (mut reader, writer) = pipe()?;
///     let child = Process::spawn(write, Descriptor::from(writer))?;
///     let mut text = String::new();
///     reader.read_to_string(&mut text)?; // until the child has closed it
///     assert_eq!(text, "hello");
///     child.join()?;
///     Ok(())
/// }
///
/// fn write(writer: Descriptor) {
///     let mut writer = File::from(writer.into_fd());
///     writer.write_all(b"hello").expect("the reader is open");
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Descriptor(
    #[serde(serialize_with = "serialize_any_other", deserialize_with = "deserialize_any_other")]
    OwnedFd,
);

impl Descriptor {
    /// The descriptor itself, to be turned into a `File` or a socket.
    pub fn into_fd(self) -> OwnedFd {
        self.0
    }
}

impl<T: Into<OwnedFd>> From<T> for Descriptor {
    fn from(descriptor: T) -> Self {
        Self(descriptor.into())
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Puts a duplicate of a descriptor into the current message's table, and its number into the
/// bytes.
pub fn serialize<S: Serializer>(descriptor: &impl AsFd, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error;
    let copy = descriptor.as_fd().try_clone_to_owned().map_err(|e| {
        S::Error::custom(keep_reason(format!("a descriptor cannot be duplicated: {e}")))
    })?;
    let number = TABLE.with_borrow_mut(|table| {
        let table = table.as_mut()?;
        table.push(Some(copy));
        u32::try_from(table.len() - 1).ok()
    });
    match number {
        Some(number) => number.serialize(serializer),
        None => Err(S::Error::custom(keep_reason(
            "it holds a descriptor, as a Connection, a lock and a Queue do: those travel only through a \
             Connection or in the arguments of a Process"
                .into(),
        ))),
    }
}

/// As [`serialize`], but refuses memfds with this crate's names: a program could have made one by
/// hand, and the receiver would take it for a lock.
fn serialize_any_other<S: Serializer>(file: &OwnedFd, serializer: S) -> Result<S::Ok, S::Error> {
    check_other(file).map_err(|reason| serde::ser::Error::custom(keep_reason(reason)))?;
    serialize(file, serializer)
}

/// As [`deserialize`], but refuses this crate's memfds: through a `File`, a lock in one could be
/// overwritten.
fn deserialize_any_other<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OwnedFd, D::Error> {
    let file = deserialize(deserializer)?;
    check_other(&file).map_err(|reason| serde::de::Error::custom(keep_reason(reason)))?;
    Ok(file)
}

fn check_other(file: &OwnedFd) -> Result<(), String> {
    match memfd::name_of(file) {
        Ok(None) if packet::is_anchor(file) => Err("a proxy is not a file".into()),
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err("shared memory is not a file".into()),
        Err(error) => Err(format!("cannot look at a descriptor in /proc: {error}")),
    }
}

/// Takes a descriptor out of the current message's table.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OwnedFd, D::Error> {
    use serde::de::Error;
    let number = u32::deserialize(deserializer)?;
    let descriptor =
        TABLE.with_borrow_mut(|table| table.as_mut()?.get_mut(number as usize)?.take());
    let missing =
        || D::Error::custom(keep_reason(format!("the message has no descriptor {number}")));
    descriptor.ok_or_else(missing)
}
