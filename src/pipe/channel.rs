//! One end of a pair of sockets between two processes.
//!
//! The sockets keep packets apart (`SOCK_SEQPACKET`, unix(7)): a packet is there
//! whole or not at all, whenever its sender was killed. A message that is too long
//! for a packet travels beside one, in a memfd or through a stream of its own.

use super::long;
use super::message::Message;
use crate::Error;
use crate::error::Trying;
use crate::sys::packet::{self, MAX_PACKET, Packet};
use crate::wait::{wait_for_room, wait_until};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

// ANCHOR: kinds
/// The message is the rest of the packet.
const WHOLE: u8 = 0;
/// The message comes through the last descriptor, a stream. The rest of the packet
/// is its length.
const IN_STREAM: u8 = 1;
/// The message is in the last descriptor, a file that lies in memory.
const IN_MEMFD: u8 = 2;
// ANCHOR_END: kinds

/// One end. It travels as the descriptor that it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Channel(#[serde(with = "crate::descriptor")] OwnedFd);

impl Channel {
    pub fn pair() -> Result<(Self, Self), Error> {
        let (one, other) = packet::pair().trying_to("make a pair of sockets")?;
        Ok((Self(one), Self(other)))
    }

    // ANCHOR: send
    /// Sends a message. It waits for the reader while the socket's buffer is full,
    /// and until the reader has taken a long message.
    pub fn send(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        match self.send_packet(WHOLE, bytes, descriptors) {
            Err(Errno::EMSGSIZE) => self.send_in_stream(bytes, descriptors),
            sent => sent.map_err(send_error),
        }
    }

    fn send_in_stream(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        let (writer, reader) = long::stream()?;
        let descriptors = [descriptors, &[reader.as_raw_fd()]].concat();
        let length = (bytes.len() as u64).to_le_bytes();
        self.send_packet(IN_STREAM, &length, &descriptors).map_err(send_error)?;
        drop(reader); // the other process has it now: if it is killed, the write fails
        long::write(&writer, bytes).map_err(send_error)
    }
    // ANCHOR_END: send

    /// Sends a message without waiting until the reader has taken a long one. Its
    /// descriptors are closed here then: whoever waits for their other ends must not
    /// wait for this process.
    pub fn post(&self, message: Message) -> Result<(), Error> {
        let mut descriptors = message.numbers()?;
        match self.send_packet(WHOLE, &message.bytes, &descriptors) {
            Err(Errno::EMSGSIZE) => {
                let memfd = long::in_memfd(&message.bytes)?;
                descriptors.push(memfd.as_raw_fd());
                self.send_packet(IN_MEMFD, &[], &descriptors).map_err(send_error)
            }
            sent => sent.map_err(send_error),
        }
    }

    fn send_packet(&self, kind: u8, bytes: &[u8], descriptors: &[RawFd]) -> nix::Result<()> {
        if bytes.len() >= MAX_PACKET {
            return Err(Errno::EMSGSIZE); // as the system says, where its limit is lower
        }
        let kind = [kind];
        let packet = [IoSlice::new(&kind), IoSlice::new(bytes)];
        let rights = [ControlMessage::ScmRights(descriptors)];
        let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
        // A reader that is gone is an error, and no SIGPIPE.
        let flags = MsgFlags::MSG_NOSIGNAL;
        loop {
            match sendmsg::<()>(self.0.as_raw_fd(), &packet, rights, flags, None) {
                Err(Errno::EINTR) => continue,
                // Somebody has made the socket one that does not wait.
                Err(Errno::EAGAIN) => wait_for_room(self.as_fd()),
                sent => return sent.map(drop),
            }
        }
    }

    /// The next message. [`Error::Closed`] if there is none and never will be.
    pub fn receive(&self) -> Result<Message, Error> {
        loop {
            match self.receive_with(MsgFlags::empty())? {
                Some(message) => return Ok(message),
                // Somebody has made the socket one that does not wait.
                None => drop(wait_until(self.as_fd(), None)),
            }
        }
    }

    /// The message that has begun to arrive by now, if there is one.
    pub fn try_receive(&self) -> Result<Option<Message>, Error> {
        self.receive_with(MsgFlags::MSG_DONTWAIT)
    }

    fn receive_with(&self, flags: MsgFlags) -> Result<Option<Message>, Error> {
        let received = match self.receive_packet(flags) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            received => received.trying_to("receive a message")?,
        };
        let Packet { kind, bytes, mut descriptors } = received.ok_or(Error::Closed)?;
        let bytes = match kind {
            WHOLE => bytes,
            IN_MEMFD => long::from_memfd(descriptors.pop())?,
            IN_STREAM => long::from_stream(descriptors.pop(), &bytes)?,
            _ => return Err(long::fault("it has no known form")),
        };
        let descriptors = descriptors.into_iter().map(Some).collect();
        Ok(Some(Message::new(bytes, descriptors)))
    }

    fn receive_packet(&self, flags: MsgFlags) -> io::Result<Option<Packet>> {
        loop {
            match packet::receive(self.0.as_fd(), flags.bits()) {
                // Said once, if the other end was closed with messages of ours
                // unread. What it has sent before is still there.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
                received => return received,
            }
        }
    }

    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self(self.0.try_clone().trying_to("duplicate a connection's descriptor")?))
    }
}

fn send_error(error: Errno) -> Error {
    match error {
        Errno::EPIPE | Errno::ECONNRESET => Error::Closed,
        error => Error::System { what: "send a message".into(), source: error.into() },
    }
}

impl From<OwnedFd> for Channel {
    fn from(socket: OwnedFd) -> Self {
        Self(socket)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
