//! The descriptors in the arguments of tasks.
//!
//! A worker receives those of shared memory once and knows them by a number afterwards, so a million
//! tasks that share a queue do not need a million descriptors. It keeps no others: a worker that
//! kept the sending end of a pipe would keep the receiver waiting for more. (Only the socket of a
//! worker that is stopped may hold one that another worker has had meanwhile.)

use crate::sys;
use crate::sys::memfd;
use crate::sys::packet::is_socket;
use nix::sys::stat::fstat;
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};

/// A descriptor with its number. The tasks that have it share it.
#[derive(Debug)]
pub struct Item {
    pub number: u32,
    pub file: OwnedFd,
    /// Whether it is shared memory, which workers keep.
    pub is_memory: bool,
    forgotten: Arc<Mutex<Vec<u32>>>,
}

impl Drop for Item {
    fn drop(&mut self) {
        sys::lock(&self.forgotten).push(self.number);
    }
}

/// What the tasks of a pool have with them.
#[derive(Debug, Default)]
pub struct Luggage {
    next: AtomicU32,
    /// By device and inode.
    known: Mutex<HashMap<(u64, u64), Weak<Item>>>,
    /// The numbers that no task has any more.
    forgotten: Arc<Mutex<Vec<u32>>>,
}

impl Luggage {
    /// The same item for descriptors that mean the same: two sockets, or two memfds of this crate,
    /// with one inode. Other files may be open twice, with two positions.
    pub fn item(&self, file: OwnedFd) -> Arc<Item> {
        let is_memory = memfd::name_of(file.as_fd()).is_ok_and(|name| name.is_some());
        let new_item = |file| Arc::new(self.new_item(file, is_memory));
        let status = fstat(&file).ok().filter(|_| is_memory || is_socket(&file));
        let Some(key) = status.map(|status| (status.st_dev, status.st_ino)) else {
            return new_item(file);
        };
        let mut known = sys::lock(&self.known);
        if let Some(item) = known.get(&key).and_then(Weak::upgrade) {
            return item;
        }
        known.retain(|_, item| item.strong_count() > 0);
        let item = new_item(file);
        known.insert(key, Arc::downgrade(&item));
        item
    }

    fn new_item(&self, file: OwnedFd, is_memory: bool) -> Item {
        let number = self.next.fetch_add(1, Relaxed);
        Item { number, file, is_memory, forgotten: Arc::clone(&self.forgotten) }
    }

    pub fn take_forgotten(&self) -> Vec<u32> {
        std::mem::take(&mut sys::lock(&self.forgotten))
    }
}
