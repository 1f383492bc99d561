//! A value in bytes, with its descriptors: what the built-in objects hold. The server need not know
//! its type.

use crate::Error;
use crate::descriptor;
use crate::pipe::{Message, from_parts};
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::os::fd::OwnedFd;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Blob {
    pub bytes: Bytes,
    files: Vec<File>,
}

/// A descriptor of the value. Each message that carries the value has a duplicate.
#[derive(Debug, Serialize, Deserialize)]
struct File(#[serde(with = "descriptor")] OwnedFd);

/// Bytes that are encoded at once, not one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl Blob {
    pub fn new<T: Serialize>(value: &T) -> Result<Self, Error> {
        let mut message = Message::default();
        message.push(value)?;
        let files = message.descriptors.into_iter().flatten().map(File).collect();
        Ok(Self { bytes: Bytes(message.bytes), files })
    }

    pub fn value<T: DeserializeOwned>(self) -> Result<T, Error> {
        from_parts(&self.bytes.0, self.files.into_iter().map(|file| Some(file.0)).collect())
    }
}

/// A value without descriptors.
pub fn plain_bytes<T: Serialize>(value: &T) -> Result<Bytes, Error> {
    crate::pipe::to_bytes(value, Vec::new()).map(Bytes)
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }
}
