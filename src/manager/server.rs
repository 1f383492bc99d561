//! The server process.
//!
//! Its main thread waits for *anchors*. An anchor is a pair of sockets between an object and its
//! proxies: the server has one end, and each proxy has a copy of the other. Through its anchor, a
//! proxy sends the server the end of a connection of its own, for which the server starts a
//! thread. When the last copy is closed, by whatever kills a process too, the object is dropped.
//! The manager is an object itself, which makes the others ([`Control`]). When no object is left,
//! the server ends.
//!
//! A kill of a client between any two steps closes its copies and its connections. A connection
//! that ends makes the object forget what its client held. A kill of the server closes all of
//! them, so every call fails at once.

use super::control::Control;
use super::line::{Line, failure};
use super::object::{Caller, Object};
use super::shared::Call;
use crate::error::Trying;
use crate::pipe::{Channel, Message};
use crate::{Error, sys};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server is given at its start.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    pub owner: Channel,
    /// The anchor of the manager.
    pub anchor: Channel,
}

/// What the program that has started the server asks.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Its handle is gone. There is an answer unless the server ends now.
    Leave,
    /// The server ends, whoever has proxies.
    Shutdown,
}

/// Where a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From this program: its functions are known here by their places.
    Program,
    Network,
}

pub struct Server {
    epoll: Epoll,
    objects: Mutex<HashMap<u64, (Channel, Arc<Object>)>>,
    /// What may be called by a name.
    functions: Mutex<HashMap<String, Call>>,
    /// The last number of an object or a connection.
    last: AtomicU64,
}

const OWNER: u64 = 0;

/// The server's function.
pub fn serve(start: Start) -> Result<(), Error> {
    raise_limit();
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).trying_to("make an epoll")?;
    let server = Arc::new(Server {
        epoll,
        objects: Mutex::default(),
        functions: Mutex::default(),
        last: AtomicU64::new(OWNER),
    });
    server.watch(&start.owner, OWNER)?;
    server.add(start.anchor, Object::built_in(Control::new(Arc::downgrade(&server))))?;
    loop {
        for number in server.ready(EpollTimeout::NONE)? {
            match number {
                OWNER if server.obey(&start.owner)? => return Ok(()),
                OWNER => (),
                number => server.look_at(number),
            }
        }
        if server.has_no_objects() {
            return Ok(());
        }
    }
}

/// Each object and each connection has a descriptor here.
fn raise_limit() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

impl Server {
    fn watch(&self, channel: &Channel, number: u64) -> Result<(), Error> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number);
        self.epoll.add(channel, event).trying_to("watch a socket")
    }

    /// Adds an object, which lives as long as the other end of its anchor is open somewhere.
    pub fn add(&self, anchor: Channel, object: Object) -> Result<(), Error> {
        let number = self.new_number();
        let mut objects = sys::lock(&self.objects);
        self.watch(&anchor, number)?;
        objects.insert(number, (anchor, Arc::new(object)));
        Ok(())
    }

    fn new_number(&self) -> u64 {
        1 + self.last.fetch_add(1, Relaxed)
    }

    pub fn register_function(&self, name: String, call: Call) {
        sys::lock(&self.functions).insert(name, call);
    }

    pub fn function(&self, name: &str) -> Result<Call, Error> {
        let call = sys::lock(&self.functions).get(name).copied();
        call.ok_or_else(|| Error::NotRegistered { name: name.into() })
    }

    fn has_no_objects(&self) -> bool {
        sys::lock(&self.objects).is_empty()
    }

    /// The numbers of the sockets from which something can be received.
    fn ready(&self, time: EpollTimeout) -> Result<Vec<u64>, Error> {
        let mut events = [EpollEvent::empty(); 64];
        let count = match self.epoll.wait(&mut events, time) {
            Err(Errno::EINTR) => 0,
            count => count.trying_to("wait for proxies")?,
        };
        Ok(events[..count].iter().map(EpollEvent::data).collect())
    }

    /// Does what the owner asks. Returns whether the server ends.
    fn obey(self: &Arc<Self>, owner: &Channel) -> Result<bool, Error> {
        let order = match owner.try_receive() {
            Ok(Some(order)) => order.take_last()?,
            Ok(None) => return Ok(false),
            // It has ended without a word. Others may have proxies.
            Err(_) => {
                return self.epoll.delete(owner).map(|()| false).trying_to("forget the owner");
            }
        };
        if matches!(order, Order::Leave) {
            self.look_at_all()?;
        }
        let ends = matches!(order, Order::Shutdown) || self.has_no_objects();
        if !ends {
            let _ = owner.post(Message::default());
        }
        Ok(ends)
    }

    /// Sees all that is closed by now. (Dropping an object can close the anchor of another one.)
    fn look_at_all(self: &Arc<Self>) -> Result<(), Error> {
        loop {
            let ready = self.ready(EpollTimeout::ZERO)?;
            if ready.iter().all(|number| *number == OWNER) {
                return Ok(());
            }
            ready.into_iter().filter(|number| *number != OWNER).for_each(|n| self.look_at(n));
        }
    }

    /// A proxy wants a connection, or the last proxy is gone.
    fn look_at(self: &Arc<Self>, number: u64) {
        let entry = sys::lock(&self.objects).get(&number).cloned();
        let Some((anchor, object)) = entry else { return };
        match anchor.try_receive().and_then(|message| message.map(Message::take_last).transpose()) {
            Ok(Some(channel)) => self.connect(Line::Local(channel), object, Origin::Program),
            Err(Error::Closed) => self.remove(number),
            // There was no descriptor left for it: the proxy finds its connection closed.
            Ok(None) | Err(_) => (),
        }
    }

    fn remove(&self, number: u64) {
        let entry = sys::lock(&self.objects).remove(&number);
        if let Some((_, object)) = entry {
            object.end();
        }
    }

    /// Starts a thread for a connection.
    pub fn connect(self: &Arc<Self>, line: Line, object: Arc<Object>, origin: Origin) {
        let (server, line) = (Arc::clone(self), Arc::new(line));
        let for_thread = Arc::clone(&line);
        let thread = thread::Builder::new().name("manager".into());
        let started = thread.spawn(move || server.converse(&for_thread, &object, origin));
        if let Err(error) = started.trying_to("start a thread for a connection") {
            let _ = line.send(failure(&error));
        }
    }

    /// Answers until the client has closed the connection or ended.
    fn converse(&self, line: &Arc<Line>, object: &Object, origin: Origin) {
        let caller = self.new_number();
        let _forget = Forget { object, caller };
        loop {
            let answer = match line.receive() {
                Ok(message) => object.handle(message, self, caller, line, origin),
                Err(Error::Closed) => return,
                Err(error) => Some(failure(&error)),
            };
            if answer.is_some_and(|answer| line.send(answer).is_err()) {
                return;
            }
        }
    }
}

/// Makes the object forget a caller when its connection has ended, even after a panic.
struct Forget<'a> {
    object: &'a Object,
    caller: Caller,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.object.forget(self.caller);
    }
}
