//! One end of a pair of sockets between two processes.
//!
//! The sockets keep messages apart (`SOCK_SEQPACKET`, unix(7)): a message is
//! there whole or not at all, whenever its sender was killed. A long one travels
//! as a memfd, so that sending never waits for a reader.

use super::message::Message;
use crate::Error;
use crate::error::Trying;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv,
    recvmsg, sendmsg, socketpair,
};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

/// A longer message travels as a memfd. Several of this size fit into a
/// socket's buffer (212,992 bytes by default, socket(7)).
const INLINE: usize = 32 * 1024;

/// The first byte of a packet: the message follows, or is in the last descriptor.
const IN_PACKET: u8 = 0;
const IN_MEMFD: u8 = 1;

/// The limit of the kernel (SCM_RIGHTS in unix(7)).
const MAX_DESCRIPTORS: usize = 253;

#[derive(Debug)]
pub struct Channel(OwnedFd);

impl Channel {
    pub fn pair() -> Result<(Self, Self), Error> {
        let (family, flags) = (AddressFamily::Unix, SockFlag::SOCK_CLOEXEC);
        let pair = socketpair(family, SockType::SeqPacket, None, flags);
        let (one, other) = pair.trying_to("make a pair of sockets")?;
        Ok((Self(one), Self(other)))
    }

    /// Sends a message, whole.
    pub fn send(&self, message: Message) -> Result<(), Error> {
        let Message { bytes, mut descriptors, .. } = message;
        let (first, bytes) = match bytes.len() {
            0..=INLINE => ([IN_PACKET], bytes),
            _ => {
                descriptors.push(Some(in_memfd(&bytes)?));
                ([IN_MEMFD], Vec::new())
            }
        };
        let numbers: Vec<RawFd> = descriptors.iter().flatten().map(AsRawFd::as_raw_fd).collect();
        if numbers.len() > MAX_DESCRIPTORS {
            let reason = format!("{} descriptors; at most {MAX_DESCRIPTORS} travel", numbers.len());
            return Err(Error::Encode { what: "a message", reason });
        }
        let packet = [IoSlice::new(&first), IoSlice::new(&bytes)];
        let rights = [ControlMessage::ScmRights(&numbers)];
        let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
        // A reader that is gone is an error, and no SIGPIPE.
        let flags = MsgFlags::MSG_NOSIGNAL;
        let send = || sendmsg::<()>(self.0.as_raw_fd(), &packet, rights, flags, None);
        without_interrupts(send).trying_to("send a message")?;
        Ok(())
    }

    /// The next message; `None` if there is none and never will be.
    pub fn receive(&self) -> Result<Option<Message>, Error> {
        self.receive_with(MsgFlags::empty())
    }

    /// The message that is here by now, if there is one.
    pub fn try_receive(&self) -> Result<Option<Message>, Error> {
        self.receive_with(MsgFlags::MSG_DONTWAIT)
    }

    fn receive_with(&self, flags: MsgFlags) -> Result<Option<Message>, Error> {
        let received = receive_packet(self.0.as_fd(), flags);
        if let Err(Errno::EAGAIN | Errno::ECONNRESET) = received {
            return Ok(None); // ECONNRESET: the other end closed with a message of ours unread
        }
        let (mut packet, mut descriptors) = received.trying_to("receive a message")?;
        let bytes = match packet.first() {
            None => return Ok(None),
            Some(&IN_PACKET) => packet.split_off(1),
            Some(&IN_MEMFD) => from_memfd(descriptors.pop())?,
            Some(_) => {
                return Err(Error::Decode {
                    what: "a message",
                    reason: "it has no known form".into(),
                });
            }
        };
        let descriptors = descriptors.into_iter().map(Some).collect();
        Ok(Some(Message::new(bytes, descriptors)))
    }
}

impl Channel {
    pub fn into_fd(self) -> OwnedFd {
        self.0
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

fn receive_packet(socket: BorrowedFd, flags: MsgFlags) -> nix::Result<(Vec<u8>, Vec<OwnedFd>)> {
    // The length first: a buffer for the longest would be most of a child's start.
    let look = flags | MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC;
    let length = without_interrupts(|| recv(socket.as_raw_fd(), &mut [], look))?;
    let mut packet = vec![0; length];
    let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
    let descriptors = without_interrupts(|| {
        let mut space = cmsg_space!([RawFd; MAX_DESCRIPTORS]);
        let mut slices = [IoSliceMut::new(&mut packet)];
        let received = recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags)?;
        let mut descriptors = Vec::new();
        for message in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = message {
                // SAFETY: the kernel made these for this message; nobody else has them.
                let owned = |number| unsafe { OwnedFd::from_raw_fd(number) };
                descriptors.extend(numbers.into_iter().map(owned));
            }
        }
        Ok(descriptors)
    })?;
    Ok((packet, descriptors))
}

fn without_interrupts<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => continue,
            result => return result,
        }
    }
}

fn in_memfd(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let memfd = memfd_create(c"multiprocessing-message", MFdFlags::MFD_CLOEXEC);
    let mut file = File::from(memfd.trying_to("make a memfd for a long message")?);
    file.write_all(bytes).trying_to("fill a memfd with a long message")?;
    Ok(file.into())
}

fn from_memfd(memfd: Option<OwnedFd>) -> Result<Vec<u8>, Error> {
    let missing = || Error::Decode { what: "a message", reason: "its memfd is missing".into() };
    let file = File::from(memfd.ok_or_else(missing)?);
    let length = file.metadata().trying_to("measure a long message")?.len();
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, 0).trying_to("read a long message")?;
    Ok(bytes)
}
