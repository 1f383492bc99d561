//! A connected socket on which a handshake goes on.

use super::frame::Incoming;
use super::handshake::{Handshake, MAX_FRAME, Side, refusal};
use super::key::Key;
use crate::Error;
use crate::error::Trying;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

#[derive(Debug)]
pub struct Session {
    socket: OwnedFd,
    incoming: Incoming,
    handshake: Handshake,
}

impl Session {
    pub fn begin(socket: OwnedFd, key: Key, side: Side) -> Result<Self, Error> {
        let mut out = Vec::new();
        let handshake = Handshake::begin(key, side, &mut out)?;
        say(&socket, &out)?;
        Ok(Self { socket, incoming: Incoming::default(), handshake })
    }

    /// Goes on as far as it can without waiting. Returns whether both sides have shown the key.
    pub fn advance(&mut self) -> Result<bool, Error> {
        while let Some(said) = self.incoming.advance(&self.socket, MAX_FRAME).map_err(nonsense)? {
            let mut out = Vec::new();
            let done = self.handshake.next(&said, &mut out);
            let answered = say(&self.socket, &out);
            if done? {
                return answered.map(|()| true);
            }
            answered?;
        }
        Ok(false)
    }

    pub fn was_shown_the_key(&self) -> bool {
        self.handshake.was_shown_the_key()
    }

    /// The socket, after the handshake. No byte behind it was taken.
    pub fn into_socket(self) -> OwnedFd {
        self.socket
    }
}

/// Sends without waiting. A new socket has room for more than a handshake says.
fn say(socket: &OwnedFd, frames: &[u8]) -> Result<(), Error> {
    let at_once = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    if frames.is_empty() {
        return Ok(());
    }
    match send(socket.as_raw_fd(), frames, at_once) {
        Ok(sent) if sent == frames.len() => Ok(()),
        Err(Errno::EPIPE | Errno::ECONNRESET) | Ok(_) => Err(Error::Closed),
        failed => failed.map(drop).trying_to("show the key"),
    }
}

/// What is no frame, or a long one.
fn nonsense(error: Error) -> Error {
    match error {
        Error::Decode { .. } => refusal("what the other side said is no part of a handshake"),
        error => error,
    }
}

impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
