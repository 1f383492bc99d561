//! What can be passed to a child, and what it can return.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What can be passed to a function in another process: every type with serde's two traits. These
/// are numbers, strings, collections, tuples, your own types with
/// `#[derive(serde::Serialize, serde::Deserialize)]`, and this crate's handles. Text and bytes may
/// be borrowed (`&str`, `&[u8]`): the child has a copy, which lives until the child ends. You never
/// implement this trait.
///
/// The format does not describe itself, so serde's `untagged`, `flatten`, `tag` and
/// `skip_serializing_if` are errors when the value is sent or received. A `std` mutex or atomic
/// with serde's traits is copied, not shared.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed to another process",
    label = "its argument cannot be passed to another process",
    note = "processes share no memory: in place of an `Arc`, an `Rc` or a lock of `std`, pass a \
            `multiprocessing::Value`, `Array` or `Lock`; in place of a channel, a `multiprocessing::pipe`",
    note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
pub trait Arguments: Serialize + Deserialize<'static> {}

impl<T: Serialize + Deserialize<'static>> Arguments for T {}

/// What can be passed to a task of a [`Pool`](crate::Pool) or an [`Executor`](crate::Executor): as
/// [`Arguments`], but nothing is borrowed (a `String` in place of a `&str`), because a worker frees
/// the arguments after each task. You never implement this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed to a task",
    label = "its argument cannot be passed to another process",
    note = "processes share no memory: in place of an `Arc`, an `Rc` or a lock of `std`, pass a \
            `multiprocessing::Value`, `Array` or `Lock`; in place of a channel, a `multiprocessing::Queue`",
    note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`, and must not borrow"
)]
pub trait TaskArguments: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> TaskArguments for T {}

/// What a function in another process can return: every type with serde's two traits that borrows
/// nothing. You never implement this trait.
///
/// For an error that serde does not know, such as [`std::io::Error`], return
/// [`multiprocessing::Error`](crate::Error), into which `?` turns it, or its text.
#[diagnostic::on_unimplemented(
    message = "a function that returns `{Self}` cannot be called in another process",
    note = "a closure that never returns needs a type: `|()| -> () {{ loop {{ … }} }}`",
    note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`, and must not borrow"
)]
pub trait ReturnValue: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> ReturnValue for T {}
