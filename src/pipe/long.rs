//! A message that is too long for a packet travels in a memfd or through a stream of its own.

use crate::Error;
use crate::error::Trying;
use crate::sys::mapping::{check_limit, reserved_length};
use crate::sys::packet;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{MsgFlags, send};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// How many bytes of room are made at most before the first has arrived, as the length may be a
/// lie. Room that is not written to takes no memory.
const FIRST_ROOM: u64 = 16 * 1024 * 1024;

/// The longest piece. It fits into a socket's buffer (212,992 bytes by default, socket(7)).
const STREAM_PACKET: usize = 200 * 1024;

pub fn in_memfd(bytes: &[u8]) -> Result<OwnedFd, Error> {
    check_limit(bytes.len() as u64).trying_to("make a memfd for a long message")?;
    let memfd = memfd_create(c"multiprocessing-message", MFdFlags::MFD_CLOEXEC);
    let mut file = File::from(memfd.trying_to("make a memfd for a long message")?);
    file.write_all(bytes).trying_to("fill a memfd with a long message")?;
    Ok(file.into())
}

pub fn from_memfd(memfd: Option<OwnedFd>) -> Result<Vec<u8>, Error> {
    let file = File::from(memfd.ok_or_else(|| fault("its memfd is missing"))?);
    // Only a file in memory has seals.
    fcntl(&file, FcntlArg::F_GET_SEALS).map_err(|_| fault("its descriptor is not a memfd"))?;
    // A hole can have any length and takes no memory, so the length would say nothing.
    let length = reserved_length(&file).trying_to("measure a long message")?;
    let length = length.ok_or_else(|| fault("its memfd has holes"))?;
    let mut bytes = room_for(length)?;
    bytes.resize(length, 0);
    file.read_exact_at(&mut bytes, 0).trying_to("read a long message")?;
    Ok(bytes)
}

/// The reading and the writing end of a stream for one message. If the process at one end is
/// killed, the other process is told, and no byte is taken for part of another message. The
/// stream consists of packets because they are longer than the pieces into which the kernel
/// divides a stream of bytes.
pub fn stream() -> Result<(OwnedFd, OwnedFd), Error> {
    packet::pair().trying_to("make a stream for a long message")
}

pub fn write(stream: &OwnedFd, mut bytes: &[u8]) -> nix::Result<()> {
    let mut packet = STREAM_PACKET;
    while !bytes.is_empty() {
        let next = &bytes[..bytes.len().min(packet)];
        match send(stream.as_raw_fd(), next, MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(Errno::EINTR) => continue,
            Err(Errno::EMSGSIZE) if packet > 1 => packet /= 2, // the system's limit is lower
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub fn from_stream(stream: Option<OwnedFd>, length: &[u8]) -> Result<Vec<u8>, Error> {
    let stream = stream.ok_or_else(|| fault("its stream is missing"))?;
    let length = length.try_into().map_err(|_| fault("its length is missing"))?;
    let length = u64::from_le_bytes(length);
    let mut bytes = room_for(length.min(FIRST_ROOM) as usize + STREAM_PACKET)?;
    while (bytes.len() as u64) < length {
        bytes.try_reserve(STREAM_PACKET).map_err(|_| no_room())?;
        let appended = packet::append(stream.as_fd(), &mut bytes);
        if appended.trying_to("read a long message")? == 0 {
            return Err(Error::Unfinished { received: bytes.len() as u64, length });
        }
    }
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(fault("it is longer than it says")),
    }
}

fn room_for(length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| no_room())?;
    Ok(bytes)
}

fn no_room() -> Error {
    fault("there is not enough memory for it")
}

pub fn fault(reason: &str) -> Error {
    Error::Decode { what: "a message".into(), reason: reason.into() }
}
