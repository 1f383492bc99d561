//! A connection for calls, as both of its sides see it.
//!
//! | client | server |
//! |---|---|
//! | [`Ask::Call`] and the request | |
//! | | the answer: a `Result` with the value or an [`Error`] |
//! | [`Ask::Cancel`], if it no longer wants to wait | |
//! | | the answer [`Error::TimedOut`], if none was sent |
//!
//! So there is one answer to each call, whether it was cancelled or not.

use crate::Error;
use crate::descriptor::Table;
use crate::error::Trying;
use crate::network::Client;
use crate::pipe::{Channel, Message};
use crate::sys::deadline::Deadline;
use crate::sys::packet;
use crate::wait::wait_until;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// The caller's proxy is one of this kind.
    Call(Kind),
    Cancel,
}

/// What an object is. A proxy of another kind must not talk to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Manager,
    /// Of the program's own type.
    Own,
    List,
    Dict,
    Queue,
    Namespace,
    Value,
    Lock,
    Semaphore,
    Event,
    Barrier,
    /// What a manager is for a client over a network.
    Session,
}

#[derive(Debug)]
pub enum Line {
    Local(Channel),
    Network(Client<[u8], [u8]>),
}

impl Line {
    /// Sends a message, and does not wait until it is read.
    pub fn send(&self, message: Message) -> Result<(), Error> {
        match self {
            Self::Local(channel) => channel.post(message),
            Self::Network(_) if !message.descriptors.is_empty() => Err(stays_here()),
            Self::Network(client) => client.send_bytes(&message.bytes),
        }
    }

    /// Answers a call that has waited. The sender is somebody else's thread, so it does not wait.
    pub fn answer_waiting(self: &Arc<Self>, answer: Message) {
        if let Err(error) = self.try_to_answer(answer) {
            let _ = self.send(failure(&error)); // which is short
        }
    }

    fn try_to_answer(self: &Arc<Self>, answer: Message) -> Result<(), Error> {
        match &**self {
            // It has room: a client has one call at a time.
            Self::Local(channel) => channel.try_post_bytes(&answer.bytes, &answer.numbers()?),
            // The other side may have stopped reading in the middle of an answer.
            Self::Network(_) => {
                let line = Arc::clone(self);
                let thread = thread::Builder::new().name("answers".into());
                thread.spawn(move || line.send(answer)).trying_to("start a thread").map(drop)
            }
        }
    }

    pub fn receive(&self) -> Result<Message, Error> {
        match self {
            Self::Local(channel) => channel.receive(),
            Self::Network(client) => {
                client.recv_bytes().map(|bytes| Message::new(bytes, Table::new()))
            }
        }
    }

    /// Sends an answer, or why that is impossible.
    pub fn answer(&self, answer: Message) -> Result<(), Error> {
        match self.send(answer) {
            Err(error @ (Error::Encode { .. } | Error::System { .. })) => {
                self.send(failure(&error))
            }
            sent => sent,
        }
    }

    /// Waits until there is something to receive.
    fn wait_until(&self, deadline: Deadline) -> bool {
        match self {
            Self::Local(channel) => wait_until(channel, deadline),
            Self::Network(client) => wait_until(client, deadline),
        }
    }

    /// Whether the other side has closed it or ended.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Local(channel) => packet::is_hung_up(channel.as_fd()),
            Self::Network(client) => packet::is_hung_up(client.as_fd()),
        }
    }

    /// Sends a request and waits for its answer. After the deadline it asks the server to answer
    /// now.
    pub fn exchange(&self, request: Message, deadline: Deadline) -> Result<Message, Error> {
        match self.send(request) {
            Err(Error::Closed) => return self.receive(), // the server may have said why
            sent => sent?,
        }
        if deadline.is_some() && !self.wait_until(deadline) {
            self.send(cancel()?)?;
        }
        self.receive()
    }
}

fn stays_here() -> Error {
    let reason =
        "it holds a descriptor, as a proxy and a Connection do: those stay in their machine";
    Error::Encode { what: "a message over a network".into(), reason: reason.into() }
}

pub fn call(kind: Kind, request: &impl Serialize) -> Result<Message, Error> {
    let mut message = Message::default();
    message.push(&(Ask::Call(kind), request)).map_err(|error| match error {
        Error::Encode { reason, .. } => Error::Encode { what: "a call".into(), reason },
        error => error,
    })?;
    Ok(message)
}

fn cancel() -> Result<Message, Error> {
    let mut message = Message::default();
    message.push(&Ask::Cancel)?;
    Ok(message)
}

pub fn success<R: Serialize>(value: &R) -> Result<Message, Error> {
    let mut message = Message::default();
    message.push(&Ok::<_, Error>(value))?;
    Ok(message)
}

pub fn failure(error: &Error) -> Message {
    let mut message = Message::default();
    // Encoding an error needs no more than memory. Without it, the client finds an empty answer.
    let _ = message.push(&Err::<(), _>(error));
    message
}

pub fn value<R: DeserializeOwned>(answer: Message) -> Result<R, Error> {
    answer.take_last::<Result<R, Error>>()?
}
