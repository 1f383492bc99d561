//! The client's side: what all proxies have in common.

use super::line::{Kind, Line, call, value};
use super::object::is_running;
use super::remote::Remote;
use crate::descriptor::{self, keep_reason};
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::sys::deadline::{Deadline, deadline};
use crate::sys::{packet, process_id};
use crate::wait::wait_until;
use crate::{Error, sys};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A reference to an object in a server. It travels; its clones are one reference.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Link>);

#[derive(Debug)]
struct Link {
    kind: Kind,
    reference: Reference,
    idle: Mutex<Idle>,
}

/// The connections that no call uses.
#[derive(Debug, Default)]
struct Idle {
    /// The process that made them. A forked child has a copy of this, and must not use them.
    owner: u32,
    lines: Vec<Line>,
}

/// What a proxy knows of its object, in its own process and when it travels.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reference {
    /// The object's.
    pub number: u64,
    pub way: Way,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Way {
    Anchor(Anchor),
    Network(#[serde(with = "in_arc")] Arc<Remote>),
}

mod in_arc {
    use super::*;

    pub fn serialize<S: Serializer>(
        remote: &Arc<Remote>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (**remote).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Remote>, D::Error> {
        Remote::deserialize(deserializer).map(Arc::new)
    }
}

/// The proxies' end of an anchor. It is a socket with a name, so that no message can pass it off as
/// an end of a pipe: what it sends, the server believes.
#[derive(Debug)]
pub struct Anchor(Channel);

impl Anchor {
    /// The end of the proxies, and that of the server.
    pub fn pair() -> Result<(Self, Channel), Error> {
        let (named, other) = packet::anchored_pair().trying_to("make a pair of sockets")?;
        Ok((Self(named.into()), other.into()))
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        descriptor::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let descriptor = descriptor::deserialize(deserializer)?;
        match packet::is_anchor(&descriptor) {
            true => Ok(Self(descriptor.into())),
            false => Err(de::Error::custom(keep_reason("the descriptor is not a proxy's".into()))),
        }
    }
}

impl Proxy {
    pub fn new(reference: Reference, kind: Kind) -> Self {
        process_id::watch();
        Self(Arc::new(Link { kind, reference, idle: Mutex::default() }))
    }

    pub fn reference(&self) -> &Reference {
        &self.0.reference
    }

    /// Sends a request and waits for its answer.
    pub fn call<R: DeserializeOwned>(&self, request: &impl Serialize) -> Result<R, Error> {
        self.call_until(request, None)
    }

    /// The same, for a request that may have to wait. [`Error::TimedOut`] after the deadline.
    pub fn call_until<R: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        deadline: Deadline,
    ) -> Result<R, Error> {
        self.connection()?.call(request, deadline)
    }

    /// A connection for one call at a time, and for what the client holds.
    pub fn connection(&self) -> Result<Connection, Error> {
        let idle = sys::lock(&self.0.idle).take();
        let line = idle.map_or_else(|| self.0.reference.connect(), Ok)?;
        Ok(Connection { proxy: self.clone(), line: Some(line), owner: process_id::cached() })
    }
}

/// How long a server that was killed may take to close its sockets.
const SOON: Duration = Duration::from_secs(1);

impl Reference {
    /// If the server lives, but has closed a connection, it had no descriptors left for it.
    fn why_gone(&self, error: Error) -> Error {
        match (&self.way, error) {
            (Way::Anchor(Anchor(channel)), Error::ManagerGone)
                if !wait_until(channel, deadline(SOON)) =>
            {
                Error::refused("connect to the manager: its server has no room", libc::EMFILE)
            }
            (_, error) => error,
        }
    }

    fn connect(&self) -> Result<Line, Error> {
        match &self.way {
            Way::Anchor(anchor) => anchor.connect(),
            Way::Network(remote) => remote.line(self.number),
        }
    }
}

impl Anchor {
    fn connect(&self) -> Result<Line, Error> {
        let (ours, theirs) = Channel::pair()?;
        let mut message = Message::default();
        message.push(&theirs)?;
        drop(theirs); // only the server has it now, and its end closes it
        self.0.post(message).map_err(gone)?;
        Ok(Line::Local(ours))
    }
}

impl Idle {
    fn take(&mut self) -> Option<Line> {
        if self.owner != process_id::cached() {
            *self = Self { owner: process_id::cached(), lines: Vec::new() };
        }
        self.lines.pop()
    }
}

/// A connection while it is in use.
#[derive(Debug)]
pub struct Connection {
    proxy: Proxy,
    /// `None` after a failure.
    line: Option<Line>,
    owner: u32,
}

impl Connection {
    pub fn call<R: DeserializeOwned>(
        &mut self,
        request: &impl Serialize,
        deadline: Deadline,
    ) -> Result<R, Error> {
        if is_running(self.proxy.0.reference.number) {
            return Err(Error::refused("call an object from its own function", libc::EDEADLK));
        }
        let request = call(self.proxy.0.kind, request)?;
        request.numbers()?; // not too many
        // Until the answer is here, nobody else may use it.
        let line = self.line.take().ok_or(Error::ManagerGone)?;
        let answer = line.exchange(request, deadline);
        let answer = answer.map_err(|error| self.proxy.0.reference.why_gone(gone(error)))?;
        self.line = Some(line);
        value(answer)
    }

    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Whether this is a copy in a forked child.
    pub fn is_copy(&self) -> bool {
        self.owner != process_id::cached()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let is_copy = self.is_copy();
        if let Some(line) = self.line.take().filter(|_| !is_copy) {
            let mut idle = sys::lock(&self.proxy.0.idle);
            if idle.owner == self.owner {
                idle.lines.push(line);
            }
        }
    }
}

pub fn gone(error: Error) -> Error {
    match error {
        Error::Closed | Error::Unfinished { .. } => Error::ManagerGone,
        error => error,
    }
}

/// What all proxies are.
pub trait BaseProxy {
    #[doc(hidden)]
    const KIND: Kind;

    #[doc(hidden)]
    fn new(reference: Reference) -> Self;

    #[doc(hidden)]
    fn proxy(&self) -> &Proxy;
}

/// A proxy's type. It tells what it is when it travels, and is received as nothing else.
macro_rules! proxy_type {
    ($kind:ident: $(#[$doc:meta])* $name:ident $(<$($type:ident),+>)?) => {
        $(#[$doc])*
        pub struct $name$(<$($type),+>)? {
            proxy: $crate::manager::proxy::Proxy,
            $(of: std::marker::PhantomData<fn() -> ($($type,)+)>,)?
        }

        impl$(<$($type),+>)? $name$(<$($type),+>)? {
            fn from_proxy(proxy: $crate::manager::proxy::Proxy) -> Self {
                Self { proxy, $(of: std::marker::PhantomData::<fn() -> ($($type,)+)>)? }
            }
        }

        impl$(<$($type),+>)? $crate::manager::proxy::BaseProxy for $name$(<$($type),+>)? {
            const KIND: $crate::manager::line::Kind = $crate::manager::line::Kind::$kind;

            fn new(reference: $crate::manager::proxy::Reference) -> Self {
                Self::from_proxy($crate::manager::proxy::Proxy::new(reference, Self::KIND))
            }

            fn proxy(&self) -> &$crate::manager::proxy::Proxy {
                &self.proxy
            }
        }

        impl$(<$($type),+>)? Clone for $name$(<$($type),+>)? {
            fn clone(&self) -> Self {
                Self::from_proxy(self.proxy.clone())
            }
        }

        impl$(<$($type),+>)? std::fmt::Debug for $name$(<$($type),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                let number = self.proxy.reference().number;
                f.debug_struct(stringify!($name)).field("object", &number).finish_non_exhaustive()
            }
        }

        impl$(<$($type),+>)? serde::Serialize for $name$(<$($type),+>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                (std::any::type_name::<Self>(), self.proxy.reference()).serialize(serializer)
            }
        }

        impl<'de $($(, $type)+)?> serde::Deserialize<'de> for $name$(<$($type),+>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let (name, reference) = serde::Deserialize::deserialize(deserializer)?;
                $crate::manager::proxy::check_name::<Self, D::Error>(name)?;
                Ok($crate::manager::proxy::BaseProxy::new(reference))
            }
        }
    };
}
pub(super) use proxy_type;

pub fn check_name<T, E: de::Error>(name: String) -> Result<(), E> {
    let expected = std::any::type_name::<T>();
    match name == expected {
        true => Ok(()),
        false => Err(E::custom(keep_reason(format!("it is a {name}, not a {expected}")))),
    }
}
