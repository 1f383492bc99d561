//! A value that cannot always be encoded or decoded.

use serde::{Deserialize, Serialize};

/// A number that cannot be encoded if it is 13, nor decoded if it is odd.
#[derive(Debug, Clone, PartialEq)]
pub struct Even(pub u32);

impl Serialize for Even {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            13 => Err(serde::ser::Error::custom("an unlucky number")),
            number => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            number if number % 2 == 0 => Ok(Self(number)),
            _ => Err(serde::de::Error::custom("an odd number")),
        }
    }
}
