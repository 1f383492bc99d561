//! What is ready when a sender can send.

use super::Channel;
use crate::Error;
use crate::descriptor::descriptor_of_field;
use crate::error::Trying;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Tells when a [`Sender`](crate::Sender) or a [`Connection`](crate::Connection) can send without
/// waiting: it is ready for [`wait`](crate::wait()), and its descriptor is *readable*, while the
/// other end has room or is gone.
///
/// There is room when a quarter of the buffer or less is in use. Then
/// [`try_send`](crate::Sender::try_send) succeeds, unless another clone of the sender was faster.
/// Most of the time there is room, so make one only after a `try_send` that found none, and drop it
/// when the value is sent. With one that stays, `wait` returns at once every time.
///
/// It is a descriptor of its own (epoll(7)) and does not keep the sender open.
///
/// ```
/// use multiprocessing::{Error, pipe, wait};
/// use std::time::Duration;
///
/// let (ours, theirs) = pipe::<String, ()>()?;
/// while ours.try_send("hello".to_string()).is_ok() {}
/// let room = ours.writable()?;
/// assert!(wait(&[&room], Some(Duration::ZERO))?.is_empty());
/// drop(theirs); // nobody will ever receive: no reason to wait
/// assert_eq!(wait(&[&room], None)?, [0]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[must_use = "it does nothing before it is passed to `wait`"]
pub struct Writable {
    epoll: OwnedFd,
}

impl Writable {
    pub(super) fn new(channel: &Channel) -> Result<Self, Error> {
        let what = "watch for room in a connection";
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).trying_to(what)?;
        // An end that is gone (EPOLLHUP) is always reported.
        epoll.add(channel.as_fd(), EpollEvent::new(EpollFlags::EPOLLOUT, 0)).trying_to(what)?;
        Ok(Self { epoll: epoll.0 })
    }
}

descriptor_of_field!([] Writable, epoll, /// Readable when the sender can send without waiting.
);
