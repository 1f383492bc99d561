//! Named values of any types in the server.

use super::blob::{Blob, type_of};
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::mem;

proxy_type! { Namespace:
    /// Named values of any types that a [`Manager`](crate::Manager) keeps: Python's
    /// `manager.Namespace()`.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager, NamespaceProxy, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let settings = manager.namespace()?;
    ///     settings.set("size", 10u32)?;
    ///     Process::spawn(configure, settings.clone())?.join()??;
    ///     assert_eq!(settings.get("title")?, Some("ten".to_string()));
    ///     Ok(())
    /// }
    ///
    /// fn configure(settings: NamespaceProxy) -> Result<(), Error> {
    ///     let size: Option<u32> = settings.get("size")?;
    ///     settings.set("title", if size == Some(10) { "ten" } else { "another" })
    /// }
    /// ```
    NamespaceProxy
}

/// In the server.
#[derive(Default)]
pub struct Namespace(BTreeMap<String, (String, Blob)>);

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// With the name of the value's type.
    Set(String, (String, Blob)),
    Get(String),
    Remove(String),
    Names,
}

impl NamespaceProxy {
    /// Gives a name a value. Python's `namespace.name = value`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn set<T: Serialize>(&self, name: &str, value: T) -> Result<(), Error> {
        let value = (type_of::<T>(), Blob::new(&value)?);
        self.proxy.call(&Request::Set(name.into(), value))
    }

    /// A copy of the value of a name. Python's `namespace.name`, which is an error without a value.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let found: Option<(String, Blob)> = self.proxy.call(&Request::Get(name.into()))?;
        let Some((of, value)) = found else { return Ok(None) };
        let expected = type_of::<T>();
        match of == expected {
            true => value.value().map(Some),
            false => {
                let reason = format!("the value of {name:?} is of the type {of}");
                Err(Error::Decode { what: expected.into(), reason })
            }
        }
    }

    /// Takes a name's value away. Returns whether it had one.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn remove(&self, name: &str) -> Result<bool, Error> {
        self.proxy.call(&Request::Remove(name.into()))
    }

    /// All names that have a value, in alphabetical order.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn names(&self) -> Result<Vec<String>, Error> {
        self.proxy.call(&Request::Names)
    }
}

impl Kept for Namespace {}

impl BuiltIn for Namespace {
    const KIND: Kind = Kind::Namespace;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        Some(match request {
            Request::Set(name, value) => {
                self.0.insert(mem::take(name), mem::take(value));
                success(&())
            }
            Request::Get(name) => success(&self.0.get(name)),
            Request::Remove(name) => success(&self.0.remove(name).is_some()),
            Request::Names => success(&self.0.keys().collect::<Vec<_>>()),
        })
    }
}
