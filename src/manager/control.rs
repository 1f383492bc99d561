//! The manager as an object of its own server: it makes the other objects.

use super::blob::Blob;
use super::line::{Kind, success};
use super::object::{BuiltIn, Caller, Kept, Object, Reply};
use super::server::Server;
use super::shared::{Call, Types, make_own};
use super::{barrier, dict, event, list, lock, namespace, queue, semaphore, value};
use crate::pipe::Channel;
use crate::{Error, spawn::Function};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Weak};

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

pub struct Control {
    server: Weak<Server>,
}

impl Control {
    pub fn new(server: Weak<Server>) -> Self {
        Self { server }
    }
}

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

impl Kept for Control {}

impl BuiltIn for Control {
    const KIND: Kind = Kind::Manager;
    type Request = Option<Request>;

    /// The answer is the number of the object, or 0.
    fn answer(&mut self, request: &mut Self::Request, _: Caller) -> Reply {
        let server = self.server.upgrade()?;
        let done = match request.take()? {
            Request::Create { anchor, what } => {
                let object = what.object(server.new_number());
                object.and_then(|object| server.add(anchor, Arc::new(object)))
            }
            Request::Find { anchor, name, proxy } => {
                server.find(&name, &proxy).and_then(|object| server.add(anchor, object))
            }
            Request::Register { name, number, proxy } => server.register(name, number, proxy),
            Request::RegisterFunction { name, call, types } => {
                Ok(server.register_function(name, call, types))
            }
        };
        Some(done.and_then(|number| success(&number)))
    }
}
