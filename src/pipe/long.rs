//! A message that is too long for a packet: in a memfd, or through a stream.

use crate::Error;
use crate::error::Trying;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{MsgFlags, send};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixStream;

/// A block of st_blocks in stat(2), in bytes.
const BLOCK: u64 = 512;

/// So much room at first for what comes through a stream, as its length may be a
/// lie. Room that nothing is written to costs no memory.
const FIRST_ROOM: u64 = 16 * 1024 * 1024;

pub fn in_memfd(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let memfd = memfd_create(c"multiprocessing-message", MFdFlags::MFD_CLOEXEC);
    let mut file = File::from(memfd.trying_to("make a memfd for a long message")?);
    file.write_all(bytes).trying_to("fill a memfd with a long message")?;
    Ok(file.into())
}

pub fn from_memfd(memfd: Option<OwnedFd>) -> Result<Vec<u8>, Error> {
    let file = File::from(memfd.ok_or_else(|| fault("its memfd is missing"))?);
    let status = file.metadata().trying_to("measure a long message")?;
    if status.blocks() * BLOCK < status.size() {
        return Err(fault("its memfd has holes")); // any length can be written on a hole
    }
    let mut bytes = vec![0; status.size() as usize];
    file.read_exact_at(&mut bytes, 0).trying_to("read a long message")?;
    Ok(bytes)
}

/// The two ends of a stream for one message. If one process is killed, the other's
/// end says so, and no byte of it can be taken for another message's.
pub fn stream() -> Result<(UnixStream, UnixStream), Error> {
    UnixStream::pair().trying_to("make a stream for a long message")
}

pub fn write(stream: &UnixStream, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match send(stream.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub fn from_stream(stream: Option<OwnedFd>, length: &[u8]) -> Result<Vec<u8>, Error> {
    let stream = UnixStream::from(stream.ok_or_else(|| fault("its stream is missing"))?);
    let length = length.try_into().map_err(|_| fault("its length is missing"))?;
    let length = u64::from_le_bytes(length);
    let mut bytes = Vec::with_capacity(length.min(FIRST_ROOM) as usize);
    let received = stream.take(length).read_to_end(&mut bytes);
    let received = received.trying_to("read a long message")? as u64;
    match received == length {
        true => Ok(bytes),
        false => Err(Error::Unfinished { received, length }),
    }
}

pub fn fault(reason: &str) -> Error {
    Error::Decode { what: "a message", reason: reason.into() }
}
