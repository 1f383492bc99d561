//! A message of one type that is received as another.

use multiprocessing::{Error, pipe};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Goes as a `Sent` and arrives as a `Taken`, as any type can that implements serde itself.
enum Cast<Sent, Taken> {
    Sent(Sent),
    Taken(Taken),
}

impl<Sent: Serialize, Taken> Serialize for Cast<Sent, Taken> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sent(sent) => sent.serialize(serializer),
            Self::Taken(_) => Err(serde::ser::Error::custom("it has arrived")),
        }
    }
}

impl<'de, Sent, Taken: Deserialize<'de>> Deserialize<'de> for Cast<Sent, Taken> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Taken::deserialize(deserializer).map(Self::Taken)
    }
}

/// Sends a value, and takes it for something else.
pub fn cast<Sent: Serialize, Taken: DeserializeOwned>(sent: Sent) -> Result<Taken, Error> {
    let (sender, receiver) = pipe::<Cast<Sent, Taken>, ()>()?;
    sender.send(Cast::Sent(sent)).map_err(Error::from)?;
    let _: &multiprocessing::Connection<(), Cast<Sent, Taken>> = &receiver;
    match receiver.recv()? {
        Cast::Taken(taken) => Ok(taken),
        Cast::Sent(_) => unreachable!("it has arrived"),
    }
}

/// Why a value is not taken for something else.
pub fn refusal<Sent: Serialize, Taken: DeserializeOwned>(sent: Sent) -> Result<String, String> {
    match cast::<Sent, Taken>(sent) {
        Err(error @ (Error::Decode { .. } | Error::Encode { .. })) => Ok(error.to_string()),
        Err(other) => Err(format!("not a refusal: {other}")),
        Ok(_) => Err("it was taken".into()),
    }
}
