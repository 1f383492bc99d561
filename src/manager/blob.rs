//! A value in bytes, with its descriptors: what the built-in objects hold. The server need not know
//! its type.

use crate::Error;
use crate::descriptor;
use crate::pipe::{Message, from_parts};
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::type_name;
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

/// The name of a type, without its modules; what is borrowed here is owned there. Encoded values do
/// not tell their type: an `i32` would become another `u32` without a word.
pub fn type_of<T: ?Sized>() -> String {
    let mut name = String::new();
    for part in type_name::<T>().split("::") {
        let is_in_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        name.truncate(name.trim_end_matches(is_in_name).len()); // a module's name
        name += part;
    }
    name.replace('&', "").replace("String", "str")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_name_in_all_programs() {
        assert_eq!(type_of::<Vec<(String, &str, u8)>>(), "Vec<(str, str, u8)>");
        assert_eq!(type_of::<&[Option<fn(Bytes) -> u8>]>(), "[Option<fn(Bytes) -> u8>]");
    }
}
