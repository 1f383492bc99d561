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

use super::control::{self, Control};
use super::line::{Kind, Line, failure, success};
use super::object::{Caller, Object};
use super::session::talk;
use super::shared::{Call, Types};
use crate::error::Trying;
use crate::network::{Address, Key, Listener};
use crate::pipe::{Channel, Message};
use crate::spawn::catch;
use crate::{Error, sys};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use std::{mem, thread};

/// What a server is given at its start.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    pub owner: Channel,
    /// The anchor of the manager.
    pub anchor: Channel,
    /// The manager's number, from which the server counts.
    pub number: u64,
    /// Where it listens. It says so to its owner, or why it cannot.
    pub listen: Option<(Address, Key)>,
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
    /// The objects by the numbers of their anchors.
    anchors: Mutex<HashMap<u64, (Channel, Arc<Object>)>>,
    /// The objects of clients over a network, by the numbers of session and object.
    visited: Mutex<HashMap<(u64, u64), Arc<Object>>>,
    /// What may be found by a name, with the type of its proxy.
    names: Mutex<HashMap<String, (String, Arc<Object>)>>,
    /// What may be called by a name.
    functions: Mutex<HashMap<String, (Call, Types)>>,
    /// The last number of an object, an anchor, a session or a connection.
    last: AtomicU64,
    ends: Arc<Ends>,
}

/// The destructors of the program that run now.
struct Ends {
    count: AtomicUsize,
    /// Wakes the main thread after each.
    bell: EventFd,
}

const OWNER: u64 = 0;
const LISTENER: u64 = 1;
const BELL: u64 = 2;

/// The server's function.
pub fn serve(start: Start) -> Result<(), Error> {
    // SAFETY: to ignore a signal installs no function.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }.trying_to("ignore SIGINT")?;
    raise_limit();
    let server = Arc::new(Server::new(start.number)?);
    let manager = Object::new(start.number, Kind::Manager, Control, control::prepare);
    server.watch(&start.owner, OWNER)?;
    server.watch(&server.ends.bell, BELL)?;
    server.add(start.anchor, Arc::new(manager))?;
    let listener = start.listen.map(|at| server.listen(at, &start.owner)).transpose()?;
    server.run(&start.owner, listener.as_ref())
}

/// Each object and each connection has a descriptor here.
fn raise_limit() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

impl Server {
    fn new(last: u64) -> Result<Self, Error> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).trying_to("make an epoll")?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK);
        let ends = Ends { count: AtomicUsize::new(0), bell: bell.trying_to("make an eventfd")? };
        let (anchors, visited, names, functions) = Default::default();
        let (last, ends) = (AtomicU64::new(last), Arc::new(ends));
        Ok(Self { epoll, anchors, visited, names, functions, last, ends })
    }

    fn listen(&self, (at, key): (Address, Key), owner: &Channel) -> Result<Listener, Error> {
        let listener = Listener::bind(at, key).inspect_err(|error| {
            let _ = owner.post(failure(error));
        })?;
        owner.post(success(&listener.local_addr())?)?;
        self.watch(&listener, LISTENER)?;
        Ok(listener)
    }

    fn run(self: &Arc<Self>, owner: &Channel, listener: Option<&Listener>) -> Result<(), Error> {
        let mut is_left = false;
        loop {
            for number in self.ready(EpollTimeout::NONE)? {
                match (number, listener) {
                    (OWNER, _) => match self.order(owner)? {
                        Some(Order::Shutdown) => return Ok(()),
                        order => is_left |= order.is_some(),
                    },
                    (LISTENER, Some(listener)) => self.welcome(listener),
                    (number, _) => self.look_at(number),
                }
            }
            if is_left {
                self.look_at_all()?;
            }
            let ending = self.ends.count.load(SeqCst) > 0;
            if !ending && self.has_no_objects() {
                return Ok(());
            }
            if !ending && mem::take(&mut is_left) {
                let _ = owner.post(Message::default());
            }
        }
    }

    fn watch(&self, socket: impl AsFd, number: u64) -> Result<(), Error> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number);
        self.epoll.add(socket, event).trying_to("watch a socket")
    }

    /// Adds an anchor of an object, which keeps it as long as its other end is open somewhere.
    /// Returns the object's number.
    pub fn add(&self, anchor: Channel, object: Arc<Object>) -> Result<u64, Error> {
        let (place, number) = (self.new_number(), object.number);
        leave_spare(&anchor)?;
        let mut anchors = sys::lock(&self.anchors);
        self.watch(&anchor, place)?;
        anchors.insert(place, (anchor, object));
        Ok(number)
    }

    pub fn new_number(&self) -> u64 {
        1 + self.last.fetch_add(1, Relaxed)
    }

    /// Gives an object a name.
    pub fn register(&self, name: String, number: u64, proxy: String) -> Result<u64, Error> {
        let anchors = sys::lock(&self.anchors);
        let object = anchors.values().find(|(_, object)| object.number == number);
        let object = object.map(|(_, object)| Arc::clone(object)).ok_or_else(|| Error::Decode {
            what: "an object's number".into(),
            reason: "the object is not this manager's".into(),
        })?;
        let before = sys::lock(&self.names).insert(name, (proxy, object));
        before.into_iter().for_each(|(_, before)| self.end(before));
        Ok(number)
    }

    pub fn find(&self, name: &str, proxy: &str) -> Result<Arc<Object>, Error> {
        let found = sys::lock(&self.names).get(name).cloned();
        let (of, object) = found.ok_or_else(|| Error::NotRegistered { name: name.into() })?;
        match of == proxy {
            true => Ok(object),
            false => {
                let reason = format!("what was registered as {name:?} is a {of}");
                Err(Error::Decode { what: proxy.to_string().into(), reason })
            }
        }
    }

    /// Keeps an object for a session.
    pub fn visit(&self, session: u64, object: Arc<Object>) -> u64 {
        let number = object.number;
        sys::lock(&self.visited).insert((session, number), object);
        number
    }

    pub fn visited(&self, session: u64, number: u64) -> Result<Weak<Object>, Error> {
        let object = sys::lock(&self.visited).get(&(session, number)).map(Arc::downgrade);
        object.ok_or(Error::ManagerGone)
    }

    pub fn end_session(&self, session: u64) {
        let ended: Vec<_> =
            sys::lock(&self.visited).extract_if(|(of, _), _| *of == session).collect();
        ended.into_iter().for_each(|(_, object)| self.end(object)); // others can use the table
    }

    pub fn register_function(&self, name: String, call: Call, types: Types) {
        sys::lock(&self.functions).insert(name, (call, types));
    }

    pub fn function(&self, name: &str, types: &Types) -> Result<Call, Error> {
        let found = sys::lock(&self.functions).get(name).cloned();
        let (call, of) = found.ok_or_else(|| Error::NotRegistered { name: name.into() })?;
        match of == *types {
            true => Ok(call),
            false => {
                let reason = format!("the function {name:?} takes {} and returns {}", of.0, of.1);
                let what = format!("a call with {} that returns {}", types.0, types.1);
                Err(Error::Decode { what: what.into(), reason })
            }
        }
    }

    fn has_no_objects(&self) -> bool {
        sys::lock(&self.anchors).is_empty()
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

    /// What the owner asks.
    fn order(&self, owner: &Channel) -> Result<Option<Order>, Error> {
        match owner.try_receive() {
            Ok(Some(order)) => order.take_last().map(Some),
            Ok(None) => Ok(None),
            // It has ended without a word. Others may have proxies.
            Err(_) => self.epoll.delete(owner).map(|()| None).trying_to("forget the owner"),
        }
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

    /// A proxy wants a connection, the last proxy is gone, or a destructor has run.
    fn look_at(self: &Arc<Self>, number: u64) {
        let _ = (number == BELL).then(|| self.ends.bell.read());
        let entry = sys::lock(&self.anchors).get(&number).cloned();
        let Some((anchor, object)) = entry else { return };
        match anchor.try_receive().and_then(|message| message.map(Message::take_last).transpose()) {
            Ok(Some(channel)) => self.connect(channel, Arc::downgrade(&object)),
            Err(Error::Closed) => {
                drop(object); // its destructor must not run here: see `end`
                self.remove(number);
            }
            // There was no descriptor left for it: the proxy finds its connection closed.
            Ok(None) | Err(_) => (),
        }
    }

    fn remove(&self, place: u64) {
        let removed = sys::lock(&self.anchors).remove(&place);
        removed.into_iter().for_each(|(_, object)| self.end(object)); // others can use the table
    }

    /// Drops a reference to an object. A value's destructor is the program's, which may take its time,
    /// call other objects or panic, so it has a thread of its own. The server ends after it.
    fn end(&self, object: Arc<Object>) {
        if object.kind == Kind::Own {
            let last = (object, Ending::new(&self.ends));
            let _ = catch(|| start_thread(move || drop(last))); // without a thread it runs here
        }
    }

    /// Starts a thread for a connection.
    fn connect(self: &Arc<Self>, channel: Channel, object: Weak<Object>) {
        let has_room = leave_spare(&channel);
        let line = Arc::new(Line::Local(channel));
        let (server, for_thread) = (Arc::clone(self), Arc::clone(&line));
        let work = move || server.converse(&for_thread, &object, Origin::Program);
        if let Err(error) = has_room.and_then(|()| start_thread(work)) {
            let _ = line.send(failure(&error));
        }
    }

    /// Starts threads for those who have shown the key.
    fn welcome(self: &Arc<Self>, listener: &Listener) {
        while let Ok(client) = listener.accept_timeout(Duration::ZERO) {
            let server = Arc::clone(self);
            let _ = start_thread(move || talk(&server, client));
        }
    }

    /// Answers until the client has closed the connection or ended.
    pub fn converse(&self, line: &Arc<Line>, object: &Weak<Object>, origin: Origin) {
        let caller = self.new_number();
        let _forget = Forget { object, caller };
        loop {
            let message = line.receive();
            let Some(object) = object.upgrade() else { return };
            let answer = match message {
                Ok(message) => object.handle(message, self, caller, line, origin),
                Err(Error::Closed | Error::Unfinished { .. }) => return,
                Err(error) => Some(failure(&error)),
            };
            drop(object); // the last proxy may go before the next call comes
            if answer.is_some_and(|answer| line.answer(answer).is_err()) {
                return;
            }
        }
    }
}

fn start_thread(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name("manager".into());
    thread.spawn(work).map(drop).trying_to("start a thread for a connection")
}

/// One descriptor stays free: with it, the server receives the next connection, to say that there
/// are no more.
fn leave_spare(last: &Channel) -> Result<(), Error> {
    last.try_clone().map(drop)
}

/// A destructor that runs.
struct Ending(Arc<Ends>);

impl Ending {
    fn new(ends: &Arc<Ends>) -> Self {
        ends.count.fetch_add(1, SeqCst);
        Self(Arc::clone(ends))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, SeqCst);
        let _ = self.0.bell.write(1);
    }
}

/// Makes the object forget a caller when its connection has ended, even after a panic.
struct Forget<'a> {
    object: &'a Weak<Object>,
    caller: Caller,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(object) = self.object.upgrade() {
            object.forget(self.caller);
        }
    }
}
