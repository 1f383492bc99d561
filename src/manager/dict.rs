//! A dictionary in the server.

use super::blob::{Blob, Bytes, plain_bytes};
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::Error;
use crate::pipe::{Message, from_bytes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::mem;

proxy_type! { Dict:
    /// A dictionary that a [`Manager`](crate::Manager) keeps: Python's `manager.dict()`, with the
    /// methods of [`std::collections::HashMap`].
    ///
    /// Each method is one call to the server. A value is a copy: change it here, and the dictionary
    /// does not change until you [`insert`](Self::insert) it again. Between a `get` and an `insert`
    /// another process may insert, too; [`update`](Self::update) is one step. Two keys are equal if
    /// their bytes are. The order of the entries is always the same, and has no meaning.
    ///
    /// ```
    /// use multiprocessing::{DictProxy, Error, Manager, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let numbers = manager.dict()?;
    ///     numbers.insert("number1".to_string(), 25)?;
    ///     Process::spawn(fill, numbers.clone())?.join()??;
    ///     assert_eq!(numbers.get("number2")?, Some(30));
    ///     assert_eq!(numbers.len()?, 2);
    ///     Ok(())
    /// }
    ///
    /// fn fill(numbers: DictProxy<String, u32>) -> Result<(), Error> {
    ///     numbers.insert("number2".to_string(), 30)?;
    ///     Ok(())
    /// }
    /// ```
    DictProxy<K, V>
}

/// In the server. Two keys are equal if their bytes are.
#[derive(Default)]
pub struct Dict {
    entries: BTreeMap<Bytes, (u64, Blob)>,
    /// How often it was changed.
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Len,
    Insert(Bytes, Blob),
    /// Inserts the value if there is none, and returns the one that is there.
    GetOrInsert(Bytes, Blob),
    Get(Bytes),
    Contains(Bytes),
    Remove(Bytes),
    Extend(Vec<(Bytes, Blob)>),
    Keys,
    Values,
    Entries,
    Clear,
    /// The value, with its version.
    Look(Bytes),
    /// Another value or none, if the version is still this one.
    Replace(Bytes, Option<u64>, Option<Blob>),
}

impl<K, V> DictProxy<K, V> {
    /// How many entries there are at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn len(&self) -> Result<usize, Error> {
        self.proxy.call(&Request::Len)
    }

    /// Whether there are none at this moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Removes all entries.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn clear(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Clear)
    }

    /// Whether there is an entry with this key.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the key cannot be encoded.
    pub fn contains_key<Q>(&self, key: &Q) -> Result<bool, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.proxy.call(&Request::Contains(plain_bytes(&key)?))
    }
}

impl<K, V: DeserializeOwned> DictProxy<K, V> {
    /// A copy of the value of a key.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the key cannot be encoded; [`Error::Decode`] if
    /// what is there is not of this type.
    pub fn get<Q>(&self, key: &Q) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.value(&Request::Get(plain_bytes(&key)?))
    }

    /// Removes an entry and returns its value. Python's `pop(key, None)`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the key cannot be encoded; [`Error::Decode`] if
    /// what is there is not of this type.
    pub fn remove<Q>(&self, key: &Q) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.value(&Request::Remove(plain_bytes(&key)?))
    }

    /// Copies of all values, as they are at one moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn values(&self) -> Result<Vec<V>, Error> {
        let values: Vec<Blob> = self.proxy.call(&Request::Values)?;
        values.into_iter().map(Blob::value).collect()
    }

    fn value(&self, request: &Request) -> Result<Option<V>, Error> {
        self.proxy.call::<Option<Blob>>(request)?.map(Blob::value).transpose()
    }
}

impl<K: Serialize, V: Serialize + DeserializeOwned> DictProxy<K, V> {
    /// Inserts a value, and returns the one that it replaces.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded; [`Error::Decode`]
    /// if what is there is not of this type.
    pub fn insert(&self, key: K, value: V) -> Result<Option<V>, Error> {
        self.value(&Request::Insert(plain_bytes(&key)?, Blob::new(&value)?))
    }

    /// Inserts a value if the key has none, and returns the one that is there then. Python's
    /// `setdefault`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded; [`Error::Decode`]
    /// if what is there is not of this type.
    pub fn get_or_insert(&self, key: K, value: V) -> Result<V, Error> {
        let request = Request::GetOrInsert(plain_bytes(&key)?, Blob::new(&value)?);
        self.proxy.call::<Blob>(&request)?.value()
    }

    /// Inserts all of these in one call. Python's `update`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn extend(&self, entries: impl IntoIterator<Item = (K, V)>) -> Result<(), Error> {
        let encode = |(key, value)| Ok((plain_bytes(&key)?, Blob::new(&value)?));
        let entries: Result<_, Error> = entries.into_iter().map(encode).collect();
        self.proxy.call(&Request::Extend(entries?))
    }

    /// Changes the value of a key as one step: no other change of it comes in between. The closure
    /// gets the value, or `None` if there is none, and returns the new one, or `None` to remove the
    /// entry. It may be called several times: again whenever another process was faster.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let words = manager.dict::<String, u32>()?;
    ///     for word in ["fork", "pipe", "fork"] {
    ///         words.update(word.to_string(), |count| Some(count.unwrap_or(0) + 1))?;
    ///     }
    ///     assert_eq!(words.get("fork")?, Some(2));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] and [`Error::Decode`], as for
    /// [`insert`](Self::insert).
    pub fn update(
        &self,
        key: K,
        mut change: impl FnMut(Option<V>) -> Option<V>,
    ) -> Result<(), Error> {
        let key = plain_bytes(&key)?;
        loop {
            let found: Option<(u64, Blob)> = self.proxy.call(&Request::Look(key.clone()))?;
            let (version, value) = found.unzip();
            let value = change(value.map(Blob::value).transpose()?);
            let value = value.map(|value| Blob::new(&value)).transpose()?;
            if self.proxy.call(&Request::Replace(key.clone(), version, value))? {
                return Ok(());
            }
        }
    }
}

impl<K: DeserializeOwned, V> DictProxy<K, V> {
    /// Copies of all keys, as they are at one moment.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn keys(&self) -> Result<Vec<K>, Error> {
        let keys: Vec<Bytes> = self.proxy.call(&Request::Keys)?;
        keys.iter().map(|key| from_bytes(&key.0)).collect()
    }
}

impl<K: DeserializeOwned, V: DeserializeOwned> DictProxy<K, V> {
    /// Copies of all entries, as they are at one moment: `collect` them into a map. Python's
    /// `dict(d)`, `d.copy()` and `d.items()`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn to_vec(&self) -> Result<Vec<(K, V)>, Error> {
        let entries: Vec<(Bytes, Blob)> = self.proxy.call(&Request::Entries)?;
        let decode = |(key, value): (Bytes, Blob)| Ok((from_bytes(&key.0)?, value.value()?));
        entries.into_iter().map(decode).collect()
    }
}

impl Kept for Dict {}

impl BuiltIn for Dict {
    const KIND: Kind = Kind::Dict;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        Some(self.do_now(mem::replace(request, Request::Len)))
    }
}

impl Dict {
    fn insert(&mut self, key: Bytes, value: Blob) -> Option<Blob> {
        self.version += 1;
        self.entries.insert(key, (self.version, value)).map(|(_, value)| value)
    }

    fn do_now(&mut self, request: Request) -> Result<Message, Error> {
        match request {
            Request::Len => success(&self.entries.len()),
            Request::Get(key) => success(&self.entries.get(&key).map(|(_, value)| value)),
            Request::Contains(key) => success(&self.entries.contains_key(&key)),
            Request::Insert(key, value) => success(&self.insert(key, value)),
            Request::GetOrInsert(key, value) => {
                self.version += 1;
                success(&self.entries.entry(key).or_insert((self.version, value)).1)
            }
            Request::Remove(key) => success(&self.entries.remove(&key).map(|(_, value)| value)),
            Request::Extend(entries) => {
                success(&entries.into_iter().for_each(|(key, value)| drop(self.insert(key, value))))
            }
            Request::Keys => success(&self.entries.keys().collect::<Vec<_>>()),
            Request::Values => success(&self.entries.values().map(|(_, v)| v).collect::<Vec<_>>()),
            Request::Entries => {
                success(&self.entries.iter().map(|(key, (_, v))| (key, v)).collect::<Vec<_>>())
            }
            Request::Clear => success(&self.entries.clear()),
            Request::Look(key) => success(&self.entries.get(&key)),
            Request::Replace(key, version, value) => success(&self.replace(key, version, value)),
        }
    }

    fn replace(&mut self, key: Bytes, version: Option<u64>, value: Option<Blob>) -> bool {
        let is_unchanged = self.entries.get(&key).map(|(version, _)| *version) == version;
        match value {
            _ if !is_unchanged => (),
            Some(value) => drop(self.insert(key, value)),
            None => drop(self.entries.remove(&key)),
        }
        is_unchanged
    }
}
