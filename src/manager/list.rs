//! A list in the server.

use super::blob::Blob;
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Reply};
use super::proxy::proxy_type;
use crate::Error;
use crate::pipe::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::mem;
use std::ops::{Bound, RangeBounds};

proxy_type! { List:
    /// A list that a [`Manager`](crate::Manager) keeps: Python's `manager.list()`, with the methods
    /// of [`Vec`].
    ///
    /// Each method is one call to the server, and no other process sees the list in between. Two
    /// calls are two: another process may have changed the list after `len` and before `get`. To
    /// change what depends on what is there, take [`update`](Self::update).
    ///
    /// Elements go to the server as bytes, so they are copies: change one here, and the list does
    /// not change until you [`set`](Self::set) it. To change lists in a list, keep `ListProxy`s in
    /// it: what travels is the reference. (A list that holds itself is never dropped.)
    ///
    /// ```
    /// use multiprocessing::{Error, ListProxy, Manager, Process};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let scores = manager.list([("Sam".to_string(), 10), ("Adam".to_string(), 9)])?;
    ///     Process::spawn(add, scores.clone())?.join()??;
    ///     assert_eq!(scores.len()?, 3);
    ///     assert_eq!(scores.get(2)?, Some(("Jeff".to_string(), 8)));
    ///     Ok(())
    /// }
    ///
    /// fn add(scores: ListProxy<(String, u32)>) -> Result<(), Error> {
    ///     scores.push(("Jeff".to_string(), 8))
    /// }
    /// ```
    ListProxy<T>
}

/// In the server.
pub struct List {
    items: Vec<Blob>,
    /// How often it was changed.
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Len,
    Push(Blob),
    Pop,
    Get(usize),
    Set(usize, Blob),
    Insert(usize, Blob),
    Remove(usize),
    Extend(Vec<Blob>),
    Slice(Bound<usize>, Bound<usize>),
    Position(Blob),
    Clear,
    Reverse,
    Swap(usize, usize),
    /// All elements, with the version.
    Snapshot,
    /// Other elements, if the version is still this one.
    Replace(u64, Vec<Blob>),
}

impl<T> ListProxy<T> {
    /// How many elements there are at this moment.
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

    /// Removes all elements.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn clear(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Clear)
    }

    /// Turns the order of the elements round.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`].
    pub fn reverse(&self) -> Result<(), Error> {
        self.proxy.call(&Request::Reverse)
    }

    /// Swaps two elements.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::OutOfRange`] if there is no such element.
    pub fn swap(&self, a: usize, b: usize) -> Result<(), Error> {
        self.proxy.call(&Request::Swap(a, b))
    }
}

impl<T: Serialize> ListProxy<T> {
    /// Appends an element. Python's `append`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn push(&self, value: T) -> Result<(), Error> {
        self.proxy.call(&Request::Push(Blob::new(&value)?))
    }

    /// Puts another element in the place of one. Python's `list[index] = value`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::OutOfRange`] if there is no such element; [`Error::Encode`]
    /// if the value cannot be encoded.
    pub fn set(&self, index: usize, value: T) -> Result<(), Error> {
        self.proxy.call(&Request::Set(index, Blob::new(&value)?))
    }

    /// Inserts an element before the one with this index, or at the end.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::OutOfRange`] if `index` is beyond the end;
    /// [`Error::Encode`] if the value cannot be encoded.
    pub fn insert(&self, index: usize, value: T) -> Result<(), Error> {
        self.proxy.call(&Request::Insert(index, Blob::new(&value)?))
    }

    /// Appends all of these in one call.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn extend(&self, values: impl IntoIterator<Item = T>) -> Result<(), Error> {
        self.proxy.call(&Request::Extend(blobs(values)?))
    }

    /// Whether an element is there. Two values are equal if their bytes are.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn contains(&self, value: &T) -> Result<bool, Error> {
        Ok(self.position(value)?.is_some())
    }

    /// The index of the first element that is equal to this one. Python's `index`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] if the value cannot be encoded.
    pub fn position(&self, value: &T) -> Result<Option<usize>, Error> {
        self.proxy.call(&Request::Position(Blob::new(value)?))
    }
}

impl<T: DeserializeOwned> ListProxy<T> {
    /// A copy of an element, or `None` beyond the end.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn get(&self, index: usize) -> Result<Option<T>, Error> {
        self.value(&Request::Get(index))
    }

    /// Removes the last element and returns it, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type.
    pub fn pop(&self) -> Result<Option<T>, Error> {
        self.value(&Request::Pop)
    }

    /// Removes the element with this index and returns it. (Python's `remove` takes a value, its `pop` an
    /// index.)
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::OutOfRange`] if there is no such element; [`Error::Decode`]
    /// if what is there is not of this type.
    pub fn remove(&self, index: usize) -> Result<T, Error> {
        self.proxy.call::<Blob>(&Request::Remove(index))?.value()
    }

    /// Copies of the elements in a range, without what is beyond the end: Python's `list[2:10]`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Decode`] if what is there is not of this type. A message
    /// carries at most 252 descriptors, so of a list of more proxies, take slices.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, Error> {
        let (start, end) = (range.start_bound().cloned(), range.end_bound().cloned());
        values(self.proxy.call(&Request::Slice(start, end))?)
    }

    /// Copies of all elements, as they are at one moment. Python's `list[:]`.
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; those of [`slice`](Self::slice).
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        self.slice(..)
    }

    /// The elements one after the other, each by a call of its own, until the end that is there
    /// then: what others change meanwhile is seen, as in Python. [`to_vec`](Self::to_vec) takes
    /// one call for all.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, Error>> {
        (0..).map_while(|index| self.get(index).transpose()).fuse()
    }

    fn value(&self, request: &Request) -> Result<Option<T>, Error> {
        self.proxy.call::<Option<Blob>>(request)?.map(Blob::value).transpose()
    }
}

impl<T: Serialize + DeserializeOwned> ListProxy<T> {
    /// Changes the list as one step: no other change comes in between. Returns what the closure
    /// returns.
    ///
    /// The elements come here, the closure changes them, and they go back if the list was not
    /// changed meanwhile. If it was, all of this is done again, so the closure may be called
    /// several times. Where many change one long list, [`Manager::share`](crate::Manager::share)
    /// a `Vec`, which a function changes in the server.
    ///
    /// ```
    /// use multiprocessing::{Error, Manager};
    ///
    /// fn main() -> Result<(), Error> {
    ///     multiprocessing::init();
    ///     let manager = Manager::start()?;
    ///     let numbers = manager.list([3, 1, 2])?;
    ///     numbers.update(|numbers| numbers.sort())?;
    ///     assert_eq!(numbers.to_vec()?, [1, 2, 3]);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ManagerGone`]; [`Error::Encode`] and [`Error::Decode`], as for
    /// [`push`](Self::push) and [`get`](Self::get).
    pub fn update<R>(&self, mut change: impl FnMut(&mut Vec<T>) -> R) -> Result<R, Error> {
        loop {
            let (version, items) = self.proxy.call(&Request::Snapshot)?;
            let mut items = values(items)?;
            let result = change(&mut items);
            if self.proxy.call(&Request::Replace(version, blobs(items)?))? {
                return Ok(result);
            }
        }
    }
}

pub fn blobs<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<Vec<Blob>, Error> {
    values.into_iter().map(|value| Blob::new(&value)).collect()
}

fn values<T: DeserializeOwned>(blobs: Vec<Blob>) -> Result<Vec<T>, Error> {
    blobs.into_iter().map(Blob::value).collect()
}

impl List {
    pub fn new(items: Vec<Blob>) -> Self {
        Self { items, version: 0 }
    }

    fn check(&self, index: usize) -> Result<(), Error> {
        match self.items.len() {
            length if index < length => Ok(()),
            length => Err(Error::OutOfRange { index, length }),
        }
    }

    fn changed(&mut self) -> &mut Vec<Blob> {
        self.version += 1;
        &mut self.items
    }

    /// As Python's slices, without what is beyond the end.
    fn slice(&self, start: Bound<usize>, end: Bound<usize>) -> &[Blob] {
        let start = match start {
            Bound::Included(start) => start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match end {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => end,
            Bound::Unbounded => usize::MAX,
        };
        let end = end.min(self.items.len());
        &self.items[start.min(end)..end]
    }
}

impl Kept for List {}

impl BuiltIn for List {
    const KIND: Kind = Kind::List;
    type Request = Request;

    fn answer(&mut self, request: &mut Request, _: Caller) -> Reply {
        Some(self.do_now(mem::replace(request, Request::Len)))
    }
}

impl List {
    fn do_now(&mut self, request: Request) -> Result<Message, Error> {
        match request {
            Request::Len => success(&self.items.len()),
            Request::Get(index) => success(&self.items.get(index)),
            Request::Slice(start, end) => success(&self.slice(start, end)),
            Request::Position(value) => {
                success(&self.items.iter().position(|item| item.bytes == value.bytes))
            }
            Request::Push(value) => success(&self.changed().push(value)),
            Request::Pop => success(&self.changed().pop()),
            Request::Extend(values) => success(&self.changed().extend(values)),
            Request::Clear => success(&self.changed().clear()),
            Request::Reverse => success(&self.changed().reverse()),
            Request::Set(index, value) => {
                self.check(index)?;
                self.changed()[index] = value;
                success(&())
            }
            Request::Insert(index, value) => {
                if index != self.items.len() {
                    self.check(index)?;
                }
                success(&self.changed().insert(index, value))
            }
            Request::Remove(index) => {
                self.check(index)?;
                success(&self.changed().remove(index))
            }
            Request::Swap(a, b) => {
                self.check(a.max(b))?;
                success(&self.changed().swap(a, b))
            }
            Request::Snapshot => success(&(self.version, &self.items)),
            Request::Replace(version, values) => {
                let is_unchanged = version == self.version;
                if is_unchanged {
                    *self.changed() = values;
                }
                success(&is_unchanged)
            }
        }
    }
}
