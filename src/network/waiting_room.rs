//! Where those who have shown the key wait to be accepted: what a listener and its thread share.

use super::address::Address;
use crate::Error;
use crate::error::Trying;
use crate::sys::lock;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many wait here. Others wait before their handshake.
const ROOM: usize = 128;

#[derive(Debug)]
pub struct WaitingRoom {
    waiting: Mutex<VecDeque<(OwnedFd, Address)>>,
    /// Counts those who wait.
    bell: EventFd,
    /// Wakes the thread.
    pub wake: EventFd,
    closed: AtomicBool,
    refused: AtomicU64,
}

impl WaitingRoom {
    pub fn new() -> Result<Self, Error> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let eventfd = |flags| EventFd::from_value_and_flags(0, flags).trying_to("make an eventfd");
        Ok(Self {
            waiting: Mutex::default(),
            bell: eventfd(flags | EfdFlags::EFD_SEMAPHORE)?,
            wake: eventfd(flags)?,
            closed: AtomicBool::new(false),
            refused: AtomicU64::new(0),
        })
    }

    /// The next one.
    pub fn take(&self) -> Option<(OwnedFd, Address)> {
        let mut waiting = lock(&self.waiting);
        let next = waiting.pop_front()?;
        let _ = self.bell.read(); // it was counted when it came
        if waiting.len() + 1 == ROOM {
            let _ = self.wake.write(1); // there is room for one more
        }
        Some(next)
    }

    pub fn put(&self, socket: OwnedFd, address: Address) {
        let mut waiting = lock(&self.waiting);
        waiting.push_back((socket, address));
        let _ = self.bell.write(1);
    }

    pub fn is_full(&self) -> bool {
        lock(&self.waiting).len() >= ROOM
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let _ = self.wake.write(1);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Readable when somebody waits.
impl AsFd for WaitingRoom {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
