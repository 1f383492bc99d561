//! A value as it travels: its bytes, and the descriptors that it holds.

use super::strict::Whole;
use crate::Error;
use crate::descriptor::{self, Table};
use crate::sys::packet::MAX_DESCRIPTORS;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::type_name;
use std::os::fd::{AsRawFd, RawFd};

/// Values in bytes, one behind the other, and the descriptors that they hold,
/// by the numbers that stand in the bytes.
#[derive(Debug, Default)]
pub struct Message {
    pub bytes: Vec<u8>,
    pub descriptors: Table,
    /// Up to here the bytes were taken.
    taken: usize,
}

impl Message {
    pub fn new(bytes: Vec<u8>, descriptors: Table) -> Self {
        Self { bytes, descriptors, taken: 0 }
    }

    /// Appends a value. After an error the message is empty.
    pub fn push<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let Self { mut bytes, mut descriptors, .. } = std::mem::take(self);
        let encode = || postcard::to_extend(&Whole(value), std::mem::take(&mut bytes));
        let encoded = descriptor::with(&mut descriptors, encode);
        let what = type_name::<T>().into();
        let bytes = encoded.map_err(|e| Error::Encode { what, reason: reason(e) })?;
        *self = Self::new(bytes, descriptors);
        Ok(())
    }

    /// The numbers of the descriptors, for the system to send them.
    pub fn numbers(&self) -> Result<Vec<RawFd>, Error> {
        let numbers: Vec<_> = self.descriptors.iter().flatten().map(AsRawFd::as_raw_fd).collect();
        match numbers.len() {
            0..MAX_DESCRIPTORS => Ok(numbers), // a long message needs one for itself
            n => {
                let reason = format!("{n} descriptors; at most {} travel", MAX_DESCRIPTORS - 1);
                Err(Error::Encode { what: "a message".into(), reason })
            }
        }
    }

    /// Takes the next value.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let bytes = &self.bytes[self.taken..];
        let decode = || postcard::take_from_bytes::<T>(bytes).map(|(v, rest)| (v, rest.len()));
        let decoded = descriptor::with(&mut self.descriptors, decode);
        let what = type_name::<T>().into();
        let (value, rest) = decoded.map_err(|e| Error::Decode { what, reason: reason(e) })?;
        self.taken = self.bytes.len() - rest;
        Ok(value)
    }

    /// Takes the last value: nothing may be left behind it.
    pub fn take_last<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        let value = self.take()?;
        match self.bytes.len() - self.taken {
            0 => Ok(value),
            n => {
                let reason = format!("{n} bytes are left over");
                Err(Error::Decode { what: type_name::<T>().into(), reason })
            }
        }
    }
}

impl Message {
    /// Takes the last value, which may borrow from the message: its bytes are leaked.
    pub fn take_last_static<T: Deserialize<'static>>(mut self) -> Result<T, Error> {
        let bytes: &'static [u8] = Vec::leak(self.bytes.split_off(self.taken));
        let decode = || postcard::take_from_bytes::<T>(bytes);
        let decoded = descriptor::with(&mut self.descriptors, decode);
        let what = type_name::<T>().into();
        match decoded {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => {
                Err(Error::Decode { what, reason: format!("{} bytes are left over", rest.len()) })
            }
            Err(e) => Err(Error::Decode { what, reason: reason(e) }),
        }
    }
}

/// A reason of our own, where a `Serialize` gave one; else postcard's.
fn reason(error: postcard::Error) -> String {
    descriptor::take_reason().unwrap_or_else(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Descriptor;
    use std::fs::File;
    use std::io::{Read, Write, pipe};

    type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn values_and_descriptors_come_back() -> Outcome {
        let (mut reader, writer) = pipe()?;
        let mut message = Message::default();
        message.push(&(1u8, "two"))?;
        message.push(&vec![Descriptor::from(writer)])?;
        assert_eq!(message.take::<(u8, String)>()?, (1, "two".to_string()));
        let writers: Vec<Descriptor> = message.take_last()?;
        for writer in writers {
            File::from(writer.into_fd()).write_all(b"sent")?;
        }
        let mut text = String::new();
        reader.read_to_string(&mut text)?; // ends: no copy of the writer is left
        assert_eq!(text, "sent");
        Ok(())
    }

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
    fn a_descriptor_belongs_into_a_message() -> Outcome {
        let outside = postcard::to_stdvec(&Descriptor::from(pipe()?.0));
        assert!(outside.is_err());
        assert!(descriptor::take_reason().ok_or("no reason")?.contains("in a message"));
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
