//! Frames: the length of a message, then its bytes.

use crate::Error;
use crate::error::Trying;
use crate::wait::wait_for_room;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, sendmsg};
use std::io::IoSlice;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// How many bytes of room are made at a time, as the length may be a lie.
const STEP: usize = 256 * 1024;

/// The longest that memory could hold.
pub const NO_LIMIT: usize = isize::MAX as usize;

/// What stands before a message: 4 bytes, big-endian and signed; from 2 GiB on, -1 and 8 bytes.
fn head(length: usize) -> Vec<u8> {
    match i32::try_from(length) {
        Ok(length) => length.to_be_bytes().to_vec(),
        Err(_) => [&LONG[..], &(length as u64).to_be_bytes()].concat(),
    }
}

/// Appends a frame to others.
pub fn append(frames: &mut Vec<u8>, message: &[u8]) {
    frames.extend(head(message.len()));
    frames.extend(message);
}

/// Sends a frame. Waits while the socket has no room. After an error a part may have been sent.
pub fn send(socket: &OwnedFd, message: &[u8]) -> Result<(), Error> {
    let head = head(message.len());
    let (mut head, mut message) = (&head[..], message);
    while !head.is_empty() || !message.is_empty() {
        let slices = [IoSlice::new(head), IoSlice::new(message)];
        // If the other side is gone, this is an error and not a SIGPIPE.
        match sendmsg::<()>(socket.as_raw_fd(), &slices, &[], MsgFlags::MSG_NOSIGNAL, None) {
            Ok(sent) => {
                let of_head = sent.min(head.len());
                (head, message) = (&head[of_head..], &message[sent - of_head..]);
            }
            Err(Errno::EINTR) => continue,
            // The program has set O_NONBLOCK.
            Err(Errno::EAGAIN) => wait_for_room(socket.as_fd()),
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(Error::Closed),
            failed => drop(failed.trying_to("send a message")?),
        }
    }
    Ok(())
}

/// The frame that is arriving. It takes no byte behind the frame from the socket, so the socket is
/// readable exactly if more has arrived.
#[derive(Debug, Default)]
pub struct Incoming {
    /// What has arrived of the head, or else of the message.
    bytes: Vec<u8>,
    /// The message's length, once its head has arrived.
    length: Option<usize>,
    /// Nobody knows where the next frame begins.
    lost: bool,
}

impl Incoming {
    /// Takes what has arrived, without waiting. Returns the message once it is whole.
    /// [`Error::Decode`] if it has more than `most` bytes; nothing can be received after that.
    pub fn advance(&mut self, socket: &OwnedFd, most: usize) -> Result<Option<Vec<u8>>, Error> {
        if self.lost {
            return Err(Error::Closed);
        }
        loop {
            let wanted = self.length.unwrap_or_else(|| length_of_head(&self.bytes));
            if !self.fill(socket, wanted)? {
                return Ok(None);
            }
            match self.length.take() {
                Some(_) => return Ok(Some(mem::take(&mut self.bytes))),
                None if self.bytes.len() < length_of_head(&self.bytes) => (), // it is a long one
                None => self.begin(most)?,
            }
        }
    }

    /// Appends what has arrived, up to this length. Returns whether it is reached.
    fn fill(&mut self, socket: &OwnedFd, wanted: usize) -> Result<bool, Error> {
        while self.bytes.len() < wanted {
            let start = self.bytes.len();
            let room = (wanted - start).min(STEP);
            self.bytes
                .try_reserve(room)
                .map_err(|_| self.lose("there is not enough memory for it"))?;
            self.bytes.resize(start + room, 0);
            let received =
                recv(socket.as_raw_fd(), &mut self.bytes[start..], MsgFlags::MSG_DONTWAIT);
            self.bytes.truncate(start + received.unwrap_or(0));
            match received {
                Ok(0) => return Err(self.end(wanted)),
                // ECONNRESET is returned once; then nothing more comes.
                Ok(_) | Err(Errno::EINTR | Errno::ECONNRESET) => (),
                Err(Errno::EAGAIN) => return Ok(false),
                failed => drop(failed.trying_to("receive a message")?),
            }
        }
        Ok(true)
    }

    /// The head has arrived.
    fn begin(&mut self, most: usize) -> Result<(), Error> {
        let length = length(&self.bytes).filter(|length| *length <= most);
        self.length = Some(length.ok_or_else(|| self.lose("its length makes no sense"))?);
        self.bytes.clear();
        Ok(())
    }

    /// The error for the end of the stream. Nothing follows it, so the next one is `Closed`.
    fn end(&mut self, wanted: usize) -> Error {
        let Self { bytes, length, .. } = mem::take(self);
        match bytes.is_empty() && length.is_none() {
            true => Error::Closed,
            false => Error::Unfinished { received: bytes.len() as u64, length: wanted as u64 },
        }
    }

    fn lose(&mut self, reason: &str) -> Error {
        *self = Self { lost: true, ..Self::default() };
        Error::Decode { what: "a message".into(), reason: reason.into() }
    }
}

/// -1, which stands before a long length.
const LONG: [u8; 4] = (-1i32).to_be_bytes();

fn length_of_head(start: &[u8]) -> usize {
    if start == LONG || start.len() > 4 { 12 } else { 4 }
}

/// The length that a head tells.
fn length(head: &[u8]) -> Option<usize> {
    match *head {
        [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).try_into().ok(),
        [_, _, _, _, ref long @ ..] => u64::from_be_bytes(long.try_into().ok()?).try_into().ok(),
        _ => None,
    }
}
