//! One end of a pair of sockets between two processes.
//!
//! The sockets keep packets apart (`SOCK_SEQPACKET`, unix(7)): one call receives what one call has
//! sent, with the descriptors beside it. The first byte of a packet is its kind:
//!
//! | kind | the rest of the packet | the last descriptor |
//! |---|---|---|
//! | 0 `WHOLE` | the message | |
//! | 1 `IN_STREAM` | the message's length: 8 bytes, little-endian | the reading end of a stream |
//! | 2 `IN_MEMFD` | nothing | a memfd that holds the message |
//!
//! A message of less than 96 KiB is one packet of kind 0. One call sends it, so a sender that is
//! killed has sent all of it or nothing.
//!
//! A longer message goes through a stream of its own ([`Channel::send`]):
//!
//! | | the sender | the receiver |
//! |---|---|---|
//! | 1 | makes the stream, a second pair of sockets | |
//! | 2 | sends the packet of kind 1 | receives it |
//! | 3 | closes its own copy of the reading end | |
//! | 4 | writes the message in pieces | reads pieces until it has the whole length |
//! | 5 | closes the writing end | closes the reading end |
//!
//! A kill between any two steps costs at most that message, and leaves nobody waiting:
//!
//! - The sender, before step 2: nothing was sent.
//! - The sender, in steps 3 and 4: the stream ends before the length is reached, which is
//!   [`Error::Unfinished`]. The next packet is untouched, as the pieces are in another socket.
//! - The receiver, at any step: the kernel closes its reading end, even one in a packet that
//!   nobody has received. After step 3 that was the last one, so the write in step 4 fails.
//!   (That is why step 3 comes before step 4: a sender with a copy would wait for itself.)
//!
//! [`Channel::post`] does not wait for a long message to be read: it fills a memfd first, and one
//! call then sends a packet of kind 2.

use super::long;
use super::message::Message;
use crate::Error;
use crate::descriptor::{self, keep_reason};
use crate::error::Trying;
use crate::sys::packet::{self, MAX_PACKET, Packet};
use crate::wait::{wait_for_room, wait_until};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, recv, sendmsg};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

// ANCHOR: kinds
/// The message is the rest of the packet.
const WHOLE: u8 = 0;
/// The message comes through the last descriptor, a stream. The rest of the packet is its
/// length.
const IN_STREAM: u8 = 1;
/// The message is in the last descriptor, a file in memory.
const IN_MEMFD: u8 = 2;
// ANCHOR_END: kinds

/// One end. It travels as its descriptor. Its clones share the descriptor, and the last one closes
/// it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel(
    #[serde(serialize_with = "descriptor::serialize", deserialize_with = "socket")] Arc<OwnedFd>,
);

/// Takes a socket out of a message. Any other descriptor is refused: it could be this crate's
/// shared memory, which [`AsFd`] would expose, or a proxy's.
fn socket<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<OwnedFd>, D::Error> {
    let descriptor = descriptor::deserialize(deserializer)?;
    match packet::is_socket(&descriptor) && !packet::is_anchor(&descriptor) {
        true => Ok(descriptor.into()),
        false => {
            Err(de::Error::custom(keep_reason("the descriptor is not an end of a pipe".into())))
        }
    }
}

impl Channel {
    pub fn pair() -> Result<(Self, Self), Error> {
        let (one, other) = packet::pair().trying_to("make a pair of sockets")?;
        Ok((one.into(), other.into()))
    }

    // ANCHOR: send
    /// Sends a message. Waits for the reader while the socket's buffer is full, and with a
    /// long message until all but the last piece is read.
    pub fn send(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        match self.send_packet(WHOLE, bytes, descriptors) {
            Err(Errno::EMSGSIZE) => self.send_in_stream(bytes, descriptors),
            sent => sent.map_err(send_error),
        }
    }

    fn send_in_stream(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        let (reader, writer) = long::stream()?;
        let descriptors = [descriptors, &[reader.as_raw_fd()]].concat();
        let length = (bytes.len() as u64).to_le_bytes();
        self.send_packet(IN_STREAM, &length, &descriptors).map_err(send_error)?;
        drop(reader); // the other process has it now: if that is killed, the write fails
        long::write(&writer, bytes).map_err(send_error)
    }
    // ANCHOR_END: send

    /// Sends a message, and waits only while the socket's buffer is full: not until a long message
    /// is read. Closes the message's descriptors here, so that this process does not keep them
    /// open.
    pub fn post(&self, message: Message) -> Result<(), Error> {
        self.post_bytes(&message.bytes, &message.numbers()?)
    }

    /// The same, for descriptors that this process keeps.
    fn post_bytes(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        loop {
            match self.try_post_bytes(bytes, descriptors) {
                Err(Error::WouldBlock) => wait_for_room(self.as_fd()),
                posted => return posted,
            }
        }
    }

    /// The same without a wait: [`Error::WouldBlock`] if the socket's buffer is full.
    pub fn try_post_bytes(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Error> {
        let at_once = MsgFlags::MSG_DONTWAIT;
        let sent = match self.send_packet_with(at_once, WHOLE, bytes, descriptors) {
            Err(Errno::EMSGSIZE) => {
                let memfd = long::in_memfd(bytes)?;
                let descriptors = [descriptors, &[memfd.as_raw_fd()]].concat();
                self.send_packet_with(at_once, IN_MEMFD, &[], &descriptors)
            }
            sent => sent,
        };
        sent.map_err(send_error)
    }

    fn send_packet(&self, kind: u8, bytes: &[u8], descriptors: &[RawFd]) -> nix::Result<()> {
        loop {
            match self.send_packet_with(MsgFlags::empty(), kind, bytes, descriptors) {
                // The program has set O_NONBLOCK.
                Err(Errno::EAGAIN) => wait_for_room(self.as_fd()),
                sent => return sent,
            }
        }
    }

    fn send_packet_with(
        &self,
        flags: MsgFlags,
        kind: u8,
        bytes: &[u8],
        descriptors: &[RawFd],
    ) -> nix::Result<()> {
        if bytes.len() >= MAX_PACKET {
            return Err(Errno::EMSGSIZE); // as the system says if its own limit is lower
        }
        let kind = [kind];
        let packet = [IoSlice::new(&kind), IoSlice::new(bytes)];
        let rights = [ControlMessage::ScmRights(descriptors)];
        let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
        // If the reader is gone, this is an error and not a SIGPIPE.
        let flags = flags | MsgFlags::MSG_NOSIGNAL;
        loop {
            match sendmsg::<()>(self.0.as_raw_fd(), &packet, rights, flags, None) {
                Err(Errno::EINTR) => continue,
                sent => return sent.map(drop),
            }
        }
    }

    /// Waits for the next message. [`Error::Closed`] if there is none and never will be.
    pub fn receive(&self) -> Result<Message, Error> {
        loop {
            match self.receive_with(MsgFlags::empty())? {
                Some(message) => return Ok(message),
                // The program has set O_NONBLOCK.
                None => drop(wait_until(self, None)),
            }
        }
    }

    /// The next message, if one has begun to arrive.
    pub fn try_receive(&self) -> Result<Option<Message>, Error> {
        self.receive_with(MsgFlags::MSG_DONTWAIT)
    }

    fn receive_with(&self, flags: MsgFlags) -> Result<Option<Message>, Error> {
        let received = match packet::receive(self.as_fd(), flags.bits()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            received => received.trying_to("receive a message")?,
        };
        let Packet { kind, bytes, mut descriptors } = received.ok_or_else(|| self.nothing())?;
        let bytes = match kind {
            WHOLE => bytes,
            IN_STREAM => long::from_stream(descriptors.pop(), &bytes)?,
            IN_MEMFD => long::from_memfd(descriptors.pop())?,
            kind => return Err(long::fault(&format!("there is no kind {kind} of packet"))),
        };
        let descriptors = descriptors.into_iter().map(Some).collect();
        Ok(Some(Message::new(bytes, descriptors)))
    }

    /// The error for a receive of 0 bytes.
    fn nothing(&self) -> Error {
        match packet::is_at_end(self.as_fd()) {
            true => Error::Closed,
            false => long::fault("it is an empty packet"),
        }
    }

    /// Waits for the next message, leaves it there, and returns its length. (A malformed message
    /// may have any length here; receiving it is an error.)
    pub fn next_length(&self) -> Result<usize, Error> {
        let mut head = [0; 9];
        // These flags leave the descriptors there, and return the length of the whole packet.
        let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
        let length = loop {
            match recv(self.0.as_raw_fd(), &mut head, flags) {
                Err(Errno::EINTR | Errno::ECONNRESET) => continue, // see `packet::receive`
                // The program has set O_NONBLOCK.
                Err(Errno::EAGAIN) => drop(wait_until(self, None)),
                peeked => break peeked.trying_to("look at a message")?,
            }
        };
        match head {
            [IN_STREAM, length @ ..] => Ok(u64::from_le_bytes(length) as usize),
            _ => Ok(length.saturating_sub(1)),
        }
    }

    /// Another descriptor of the same end.
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(self.0.try_clone().trying_to("duplicate a connection's descriptor")?.into())
    }
}

fn send_error(error: Errno) -> Error {
    match error {
        Errno::EPIPE | Errno::ECONNRESET => Error::Closed,
        Errno::EAGAIN => Error::WouldBlock,
        error => Error::System { what: "send a message".into(), source: error.into() },
    }
}

impl From<OwnedFd> for Channel {
    fn from(socket: OwnedFd) -> Self {
        Self(socket.into())
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
