//! The manager as an object of its own server: it makes the other objects.

use super::blob::Blob;
use super::line::success;
use super::object::{Kept, Object, Work};
use super::server::{Origin, Server};
use super::shared::{Call, Types, make_own};
use super::{barrier, dict, event, list, lock, namespace, queue, semaphore, value};
use crate::pipe::{Channel, Message};
use crate::{Error, spawn::Function};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::Arc;

/// What an object is made of.
#[derive(Debug, Serialize, Deserialize)]
#[rustfmt::skip] // a line each
pub enum What {
    List(Vec<Blob>),
    Dict,
    Queue { maxsize: usize },
    Namespace,
    Value(Blob),
    Lock { recursive: bool },
    Semaphore { permits: u32, bounded: bool },
    Event,
    Barrier { parties: u32 },
    /// A value of the program's own, and the `make` for its type.
    Own { make: Function, value: Blob },
}

#[derive(Debug, Serialize, Deserialize)]
#[rustfmt::skip]
pub enum Request {
    Create { anchor: Channel, what: What },
    /// The object may be found by this name and the type of its proxy, from the network too.
    Register { name: String, number: u64, proxy: String },
    Find { anchor: Channel, name: String, proxy: String },
    /// The function may be called by this name, from the network too.
    RegisterFunction { name: String, call: Call, types: Types },
}

pub struct Control;

impl Kept for Control {}

impl What {
    pub fn object(self, number: u64) -> Result<Object, Error> {
        Ok(match self {
            Self::List(items) => Object::built_in(number, list::List::new(items)),
            Self::Dict => Object::built_in(number, dict::Dict::default()),
            Self::Queue { maxsize } => Object::built_in(number, queue::Queue::new(maxsize)),
            Self::Namespace => Object::built_in(number, namespace::Namespace::default()),
            Self::Value(value) => Object::built_in(number, value::Value::new(value)),
            Self::Lock { recursive } => Object::built_in(number, lock::Lock::new(recursive)),
            Self::Semaphore { permits, bounded } => {
                Object::built_in(number, semaphore::Semaphore::new(permits, bounded))
            }
            Self::Event => Object::built_in(number, event::Event::default()),
            Self::Barrier { parties } => Object::built_in(number, barrier::Barrier::new(parties)),
            Self::Own { make, value } => make_own(number, make, value)?,
        })
    }
}

/// All is done here, not under the manager's lock: to decode a value runs the program's code, which
/// may take its time, panic, or ask the manager itself. The answer is the number of the object, or 0.
pub fn prepare(server: &Server, request: Message, _: Origin) -> Result<Work, Error> {
    let number = match request.take_last()? {
        Request::Create { anchor, what } => {
            server.add(anchor, Arc::new(what.object(server.new_number())?))
        }
        Request::Find { anchor, name, proxy } => server.add(anchor, server.find(&name, &proxy)?),
        Request::Register { name, number, proxy } => server.register(name, number, proxy),
        Request::RegisterFunction { name, call, types } => {
            server.register_function(name, call, types);
            Ok(0)
        }
    }?;
    let run = move |_: &mut dyn Any, _| Some(success(&number));
    Ok(Work { key: Vec::new(), repairs: true, run: Box::new(run) })
}
