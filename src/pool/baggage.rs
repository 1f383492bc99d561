//! The descriptors in the arguments of tasks. A worker receives each once, and knows it by a number
//! afterwards: a million tasks that share a queue need no million descriptors.

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
    /// The same item for descriptors that mean the same.
    pub fn item(&self, file: OwnedFd) -> Arc<Item> {
        let Some(key) = identity(&file) else { return Arc::new(self.new_item(file)) };
        let mut known = sys::lock(&self.known);
        if let Some(item) = known.get(&key).and_then(Weak::upgrade) {
            return item;
        }
        known.retain(|_, item| item.strong_count() > 0);
        let item = Arc::new(self.new_item(file));
        known.insert(key, Arc::downgrade(&item));
        item
    }

    fn new_item(&self, file: OwnedFd) -> Item {
        let number = self.next.fetch_add(1, Relaxed);
        Item { number, file, forgotten: Arc::clone(&self.forgotten) }
    }

    pub fn take_forgotten(&self) -> Vec<u32> {
        std::mem::take(&mut sys::lock(&self.forgotten))
    }
}

/// Two sockets or two memfds of this crate with one inode are one thing. Other files may be open
/// twice, with two positions.
fn identity(file: &OwnedFd) -> Option<(u64, u64)> {
    let is_one_thing =
        is_socket(file) || memfd::name_of(file.as_fd()).is_ok_and(|name| name.is_some());
    let status = fstat(file).ok().filter(|_| is_one_thing)?;
    Some((status.st_dev, status.st_ino))
}
