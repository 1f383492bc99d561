//! One value in the server.

use super::blob::Blob;
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::mem;

proxy_type! { Value:
    /// A value that a [`Manager`](crate::Manager) keeps: Python's `manager.Value()`.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, Process, ValueProxy};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let name = manager.value("nobody".to_string())?;
    ///     Process::spawn(sign, name.clone())?.join()??;
    ///     assert_eq!(name.get()?, "Bob");
    ///     Ok(())
    /// }
    ///
    /// fn sign(name: ValueProxy<String>) -> Result<(), Error> {
    ///     name.set("Bob".to_string())
    /// }
    /// ```
    ValueProxy<T>
}

/// In the server.
pub struct Value {
    value: Blob,
    /// How often it was changed.
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Get,
    Set(Blob),
    /// The value, with its version.
    Look,
    /// Another value, if the version is still this one.
    Replace(u64, Blob),
}

impl<T: Serialize> ValueProxy<T> {
    /// Puts another value in its place. Python's `value.value = …`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn set(&self, value: T) -> Result<(), Error> {
        self.proxy.call(&Request::Set(Blob::new(&value)?))
    }
}

impl<T: DeserializeOwned> ValueProxy<T> {
    /// A copy of the value. Python's `value.value`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn get(&self) -> Result<T, Error> {
        self.proxy.call::<Blob>(&Request::Get)?.value()
    }
}

impl<T: Serialize + DeserializeOwned> ValueProxy<T> {
    /// Changes the value as one step: no other change comes in between. Returns what the closure
    /// returns. It may be called several times: again whenever another process was faster.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] and [`Error::Decode`], as for [`set`](Self::set)
    /// and [`get`](Self::get).
    pub fn update<R>(&self, mut change: impl FnMut(&mut T) -> R) -> Result<R, Error> {
        loop {
            let (version, value): (u64, Blob) = self.proxy.call(&Request::Look)?;
            let mut value = value.value()?;
            let result = change(&mut value);
            if self.proxy.call(&Request::Replace(version, Blob::new(&value)?))? {
                return Ok(result);
            }
        }
    }
}

impl Value {
    pub fn new(value: Blob) -> Self {
        Self { value, version: 0 }
    }

    fn set(&mut self, value: &mut Blob) {
        self.version += 1;
        self.value = mem::take(value);
    }

    fn replace(&mut self, version: u64, value: &mut Blob) -> bool {
        let is_unchanged = version == self.version;
        if is_unchanged {
            self.set(value);
        }
        is_unchanged
    }
}

impl Kept for Value {}

impl BuiltIn for Value {
    const KIND: Kind = Kind::Value;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        Some(match request {
            Request::Get => success(&self.value),
            Request::Set(value) => success(&self.set(value)),
            Request::Look => success(&(self.version, &self.value)),
            Request::Replace(version, value) => success(&self.replace(*version, value)),
        })
    }
}
