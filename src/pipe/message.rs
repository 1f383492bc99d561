//! Values as they travel: in bytes, with their descriptors beside them.

use super::strict::Whole;
use crate::Error;
use crate::descriptor::{self, Table, keep_reason};
use crate::sys::packet::MAX_DESCRIPTORS;
use postcard::ser_flavors::Flavor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::mem;
use std::os::fd::{AsRawFd, RawFd};

/// Values in bytes, one after the other. For a descriptor, the bytes hold its index in the table.
#[derive(Debug, Default)]
pub struct Message {
    pub bytes: Vec<u8>,
    pub descriptors: Table,
    /// The number of bytes already taken.
    taken: usize,
}

impl Message {
    pub fn new(bytes: Vec<u8>, descriptors: Table) -> Self {
        Self { bytes, descriptors, taken: 0 }
    }

    /// Appends a value. After an error the message is empty.
    pub fn push<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let Self { bytes, mut descriptors, .. } = mem::take(self);
        let bytes = descriptor::with(&mut descriptors, || to_bytes(value, bytes))?;
        *self = Self::new(bytes, descriptors);
        Ok(())
    }

    /// The numbers by which the system knows the descriptors.
    pub fn numbers(&self) -> Result<Vec<RawFd>, Error> {
        let numbers: Vec<_> = self.descriptors.iter().flatten().map(AsRawFd::as_raw_fd).collect();
        let (count, most) = (numbers.len(), MAX_DESCRIPTORS - 1); // a long message needs one, too
        if count > most {
            let reason = format!("it has {count} descriptors; at most {most} travel");
            return Err(Error::Encode { what: "a message".into(), reason });
        }
        Ok(numbers)
    }

    /// Takes the next value, which may borrow from the message.
    pub fn take<'de, T: Deserialize<'de>>(&'de mut self) -> Result<T, Error> {
        let (value, rest) = decode(&self.bytes[self.taken..], &mut self.descriptors)?;
        self.taken = self.bytes.len() - rest.len();
        Ok(value)
    }

    /// The bytes that have not been taken.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Takes bytes that were appended as they are.
    pub fn take_bytes(&mut self, count: usize) -> Result<&[u8], Error> {
        let start = self.taken;
        let bytes = self.bytes.get(start..start.saturating_add(count));
        let bytes = bytes.ok_or_else(|| decode_error::<&[u8]>("bytes are missing".into()))?;
        self.taken += bytes.len();
        Ok(bytes)
    }

    /// Takes the last value. It is an error if bytes are left over.
    pub fn take_last<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        decode_last(&self.bytes[self.taken..], &mut self.descriptors)
    }

    /// The same, for a value that may borrow from the message, whose bytes are never freed.
    pub fn take_last_static<T: Deserialize<'static>>(self) -> Result<T, Error> {
        let Self { bytes, mut descriptors, taken } = self;
        decode_last(&bytes.leak()[taken..], &mut descriptors)
    }
}

/// Appends a value, which may hold no descriptors.
pub fn to_bytes<T: Serialize>(value: &T, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    descriptor::forget_reason();
    postcard::serialize_with_flavor(&Whole(value), Growing(bytes)).map_err(|error| {
        let what = type_name::<T>().into();
        Error::Encode { what, reason: reason(error) }
    })
}

/// The only value in these bytes, which came with these descriptors.
pub fn from_parts<T: DeserializeOwned>(bytes: &[u8], mut descriptors: Table) -> Result<T, Error> {
    decode_last(bytes, &mut descriptors)
}

/// The same, without descriptors.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    last(decode_some(bytes)?)
}

/// The first value, and the bytes behind it.
fn decode<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    descriptors: &mut Table,
) -> Result<(T, &'de [u8]), Error> {
    descriptor::with(descriptors, || decode_some(bytes))
}

fn decode_some<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(T, &'de [u8]), Error> {
    descriptor::forget_reason();
    postcard::take_from_bytes(bytes).map_err(|error| decode_error::<T>(reason(error)))
}

fn decode_last<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    descriptors: &mut Table,
) -> Result<T, Error> {
    last(decode(bytes, descriptors)?)
}

fn last<T>((value, rest): (T, &[u8])) -> Result<T, Error> {
    match rest.len() {
        0 => Ok(value),
        left => Err(decode_error::<T>(format!("{left} bytes are left over"))),
    }
}

fn decode_error<T>(reason: String) -> Error {
    Error::Decode { what: type_name::<T>().into(), reason }
}

/// The reason that this crate gave, or else postcard's.
fn reason(error: postcard::Error) -> String {
    descriptor::take_reason().unwrap_or_else(|| match error {
        postcard::Error::WontImplement => "its type needs a format that describes itself (serde's \
             untagged, flatten, tag, or serde_json::Value): send it as text"
            .to_string(),
        error => error.to_string(),
    })
}

/// Collects encoded bytes in a `Vec`. Unlike in postcard's own, a lack of memory is an error.
struct Growing(Vec<u8>);

impl Growing {
    #[cold]
    fn grow(&mut self, length: usize) -> postcard::Result<()> {
        // 64, so that a small message takes one allocation.
        self.0.try_reserve(length.max(64)).map_err(|_| {
            keep_reason("there is not enough memory for it".into());
            postcard::Error::SerializeBufferFull
        })
    }
}

impl Flavor for Growing {
    type Output = Vec<u8>;

    #[inline(always)]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.0.len() == self.0.capacity() {
            self.grow(1)?;
        }
        self.0.push(byte);
        Ok(())
    }

    #[inline(always)]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            self.grow(bytes.len())?;
        }
        self.0.extend(bytes.iter().copied()); // faster than memcpy for the few bytes of a number
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Descriptor;
    use std::io::pipe;

    type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn a_descriptor_is_taken_once_and_must_be_there() -> Outcome {
        let mut message = Message::default();
        message.push(&Descriptor::from(pipe()?.0))?;
        let bytes = message.bytes.repeat(2); // the same number twice
        let twice = Message::new(bytes, std::mem::take(&mut message.descriptors));
        let error = twice.take_last::<(Descriptor, Descriptor)>().err().ok_or("taken twice")?;
        assert!(error.to_string().contains("no descriptor 0"), "{error}");
        Ok(())
    }

    #[test]
    fn bytes_too_few_or_too_many_are_errors() -> Outcome {
        let mut message = Message::default();
        message.push(&7u64)?;
        assert!(
            Message::new(message.bytes.clone(), Table::new()).take_last::<(u64, u64)>().is_err()
        );
        message.push(&8u64)?;
        assert!(message.take_last::<u64>().is_err());
        Ok(())
    }
}
