//! A manager that is reached over a network, as its client sees it.
//!
//! | client | server |
//! |---|---|
//! | connects, and shows the key | checks the key ([`Listener`](crate::Listener)) |
//! | [`Hello`] with [`Wants::Session`] | |
//! | | the session's number |
//! | asks for objects | keeps them for the session |
//! | for each call that runs, connects once more: [`Wants::Object`] | calls go as they do here |
//!
//! The first connection stands for the session: when its last copy is closed, the session's objects
//! are dropped. A proxy that travels to another process takes a copy along.

use super::control::What;
use super::line::{Kind, Line, call, value};
use super::proxy::gone;
use super::session::Request;
use crate::descriptor;
use crate::error::Trying;
use crate::network::{Address, Client, Key};
use crate::pipe::Message;
use crate::{Error, sys};
use nix::unistd::{Pid, getpid};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind::{ConnectionRefused, ConnectionReset, NotFound};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;

/// Both sides must have the same version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a client says first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    pub version: String,
    pub wants: Wants,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Wants {
    Session,
    Object { session: u64, number: u64 },
}

/// A session.
#[derive(Debug, Serialize, Deserialize)]
pub struct Remote {
    address: Address,
    key: Key,
    number: u64,
    /// Its first connection.
    #[serde(with = "descriptor")]
    hold: OwnedFd,
    /// The same, in the process that has opened it.
    #[serde(skip)]
    line: Option<(Pid, Mutex<Line>)>,
}

impl Remote {
    pub fn connect(address: Address, key: Key) -> Result<Self, Error> {
        let (line, number) = greet(&address, &key, Wants::Session)?;
        let Line::Network(client) = &line else { return Err(Error::ManagerGone) };
        let hold = client.as_fd().try_clone_to_owned().trying_to("duplicate a connection")?;
        Ok(Self { address, key, number, hold, line: Some((getpid(), Mutex::new(line))) })
    }

    /// A connection for calls of an object.
    pub fn line(&self, number: u64) -> Result<Line, Error> {
        let wants = Wants::Object { session: self.number, number };
        let (line, ()) = greet(&self.address, &self.key, wants).map_err(not_listening)?;
        Ok(line)
    }

    /// An object that is made for this session.
    pub fn create(&self, what: What) -> Result<u64, Error> {
        self.request(&Request::Create(what))
    }

    pub fn find(&self, name: &str, proxy: String) -> Result<u64, Error> {
        self.request(&Request::Find { name: name.into(), proxy })
    }

    fn request(&self, request: &Request) -> Result<u64, Error> {
        match &self.line {
            Some((owner, line)) if *owner == getpid() => {
                let request = call(Kind::Session, &Some(request))?;
                value(sys::lock(line).exchange(request, None).map_err(gone)?)
            }
            _ => Err(Error::refused("use a manager's connection in another process", libc::EPERM)),
        }
    }
}

/// There was a server at this address, as there is a session.
fn not_listening(error: Error) -> Error {
    match &error {
        Error::System { source, .. } => match source.kind() {
            ConnectionRefused | ConnectionReset | NotFound => Error::ManagerGone,
            _ => error,
        },
        _ => error,
    }
}

fn greet<R: DeserializeOwned>(
    address: &Address,
    key: &Key,
    wants: Wants,
) -> Result<(Line, R), Error> {
    let line = Line::Network(Client::connect(address.clone(), key.clone()).map_err(gone)?);
    let mut hello = Message::default();
    hello.push(&Hello { version: VERSION.into(), wants })?;
    let answer = line.exchange(hello, None).map_err(gone)?;
    Ok((line, value(answer)?))
}
