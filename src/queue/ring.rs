//! A ring of messages in shared memory, with a lock for each end.
//!
//! Producers hold the lock of the end `put` and write behind its position. Consumers hold the
//! lock of the end `get` and read from its position to that of `put`. A message is a header of 8
//! bytes, its length, and its bytes; it begins at a multiple of 8. The memory of the ring is
//! mapped twice, one copy behind the other, so no message has to be cut in two at the end.
//!
//! | who | does, in this order |
//! |---|---|
//! | producer | locks `put`, writes header and bytes, moves the position of `put`, unlocks |
//! | consumer | locks `get`, copies the bytes, moves the position of `get`, unlocks |
//!
//! A position moves in one step, so a kill comes before or after it. A producer that is killed
//! before leaves bytes behind the position, which nobody reads and the next producer overwrites;
//! after it, the message is in the queue. A consumer that is killed before has taken nothing;
//! after it, the messages that it was taking are gone with it. The locks are robust: the next
//! one that waits gets the lock of the dead.
//!
//! A producer that finds no room, or a consumer that finds no message, keeps the lock while it
//! waits for the other end's bell. So at most one waits for a bell, the others wait for the lock,
//! and if the one is killed, the lock passes its part on to the next.
//!
//! `close` sets a bit in the position of `put`, and `close_now` in that of `get`, too. A position
//! moves only if it is still what it was under the lock, so nothing is put or got after the bit.

use super::end::{End, Locked};
use super::large::Large;
use super::patience::Patience;
use super::position::Position;
use super::record::{Record, Taken, UNIT};
use crate::Error;
use crate::descriptor::{self, custom, keep_reason};
use crate::error::Trying;
use crate::memory::{Kind, Memory};
use crate::sys::deadline::Deadline;
use serde::{Deserialize, Deserializer, Serialize};
use std::mem::offset_of;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

// ANCHOR: head
/// The beginning of the memory. The ring follows.
#[repr(C)]
struct Head {
    put: End,
    get: End,
    /// How many messages the queue holds at most. It never changes.
    maxsize: AtomicU32,
}
// ANCHOR_END: head

/// Where the ring begins: at a page, whatever the size of a page (4 to 64 KiB on Linux).
const RING: usize = 64 * 1024;
const LEAST_BYTES: usize = 64 * 1024;
const MOST_BYTES: usize = 8 << 30;

/// How many bytes are taken together, if there are several messages. More would be in memory that
/// malloc(3) gets from the system for each call, page by page.
const TOGETHER: usize = 64 * 1024;

/// Messages longer than this part of the ring do not go into it.
const LONGEST: usize = 4;

#[derive(Clone, Serialize, Deserialize)]
pub struct Ring {
    #[serde(deserialize_with = "ring_memory")]
    memory: Memory,
    large: Large,
}

fn ring_memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Memory, D::Error> {
    let file = descriptor::deserialize(deserializer)?;
    Memory::received(file, Some(RING)).map_err(custom)
}

impl Ring {
    pub fn new(kind: Kind, maxsize: u32, bytes: usize) -> Result<Self, Error> {
        let bytes = bytes.max(LEAST_BYTES).checked_next_power_of_two();
        let bytes = bytes.filter(|bytes| *bytes <= MOST_BYTES);
        let bytes =
            bytes.ok_or_else(|| Error::refused("make a queue of over 8 GiB", libc::EINVAL))?;
        let memory = Memory::mirrored(kind, RING + bytes, RING)?;
        for end in [offset_of!(Head, put), offset_of!(Head, get)] {
            // SAFETY: the memory is mapped, begins at a page, and has room for a head.
            let end = unsafe { memory.area.start.add(end) }.cast();
            // SAFETY: the same. No other thread or process has the memory yet.
            unsafe { End::make_at(end) }.trying_to("make a lock")?;
        }
        let large = Large::new().trying_to("make a memfd")?;
        let ring = Self { memory, large };
        ring.head().maxsize.store(maxsize, Relaxed);
        Ok(ring)
    }

    /// The ring itself, if it is of this kind.
    pub fn checked(self, kind: Kind) -> Result<Self, String> {
        let Self { memory, large } = self;
        let ring = Self { memory: memory.checked(kind, RING + 2 * LEAST_BYTES)?, large };
        match ring.length().is_power_of_two() {
            true => Ok(ring),
            false => Err(keep_reason("the ring of a queue has a wrong length".into())),
        }
    }

    fn head(&self) -> &Head {
        // SAFETY: `new` made a head there, in this process or in the one that made the queue:
        // `checked` has seen to that. It is aligned, because the memory begins at a page, and
        // stays mapped as long as `self`. Its fields change only as atomics or through a mutex.
        unsafe { self.memory.area.start.cast().as_ref() }
    }

    /// The length of the ring, in bytes.
    fn length(&self) -> usize {
        (self.memory.area.length - RING) / 2
    }

    /// Waits for the lock of an end. If its last holder was killed, this calls `repair` with the
    /// number of the next message.
    fn lock<'a>(
        &'a self,
        end: &'a End,
        deadline: Deadline,
        repair: fn(&Large, u32),
    ) -> Result<Locked<'a>, Error> {
        let (locked, owner_died) = end.lock(deadline)?;
        if owner_died {
            repair(&self.large, end.position().number());
        }
        Ok(locked)
    }

    // ANCHOR: put
    /// Puts all messages, in order. `count` says how many were put, also before an error.
    pub fn put(
        &self,
        messages: &[&[u8]],
        count: &mut usize,
        patience: Patience,
    ) -> Result<(), Error> {
        let put = &self.head().put;
        let _locked = self.lock(put, patience.lock, Large::remove_from)?;
        while let rest @ [first, ..] = &messages[*count..] {
            let start = put.open_position()?;
            let end = self.write(start, rest)?;
            if end == start {
                self.wait_for_room(start, first, patience.other_end)?;
            } else {
                self.publish(start, end)?;
                *count += end.messages_since(start) as usize;
            }
        }
        Ok(())
    }

    /// Writes the messages for which there is room, and returns the position behind them.
    fn write(&self, start: Position, messages: &[&[u8]]) -> Result<Position, Error> {
        let mut position = start;
        for message in messages {
            let record = self.record_for(position, message);
            if !self.has_room(position, record, 1) {
                break;
            }
            match self.write_one(position, record, message) {
                Ok(()) => position = position.after_message(record.end),
                Err(error) if position == start => return Err(error),
                Err(_) => break, // next time it is the first
            }
        }
        Ok(position)
    }

    fn write_one(&self, at: Position, record: Record, message: &[u8]) -> Result<(), Error> {
        let mut in_ring = message;
        if record.is_large {
            let what = || format!("put a message of {} bytes", message.len());
            self.large.write(at.number(), message).trying_to_do(what)?;
            in_ring = &[];
        }
        let header = self.place(at.unit(), UNIT).cast();
        let bytes = self.place(record.bytes, in_ring.len());
        // SAFETY: both are places in the ring, which is mapped. They lie behind the position of
        // `put` and not before that of `get` (`has_room`), so only the holder of the lock of
        // `put` uses them, which is this thread.
        unsafe { header.write(record.header()) };
        // SAFETY: the same.
        unsafe { bytes.copy_from_nonoverlapping(NonNull::from(in_ring).cast(), in_ring.len()) };
        Ok(())
    }
    // ANCHOR_END: put

    fn record_for(&self, at: Position, message: &[u8]) -> Record {
        match message.len() <= self.length() / LONGEST {
            true => Record::new(at.unit(), message.len()),
            false => Record::large(at.unit(), message.len()),
        }
    }

    /// Whether there is room for so many messages from this position on. The holder of the lock
    /// of `put` calls it.
    fn has_room(&self, at: Position, record: Record, count: u32) -> bool {
        let Head { put, get, maxsize } = self.head();
        let units = u64::from(record.end.wrapping_sub(at.unit())) * u64::from(count);
        let has_room = |end_of_room: Position| {
            let used = at.unit().wrapping_sub(end_of_room.unit());
            at.messages_since(end_of_room) + count <= maxsize.load(Relaxed)
                && u64::from(used) + units <= (self.length() / UNIT) as u64
        };
        has_room(put.seen()) || has_room(put.see(get))
    }

    fn wait_for_room(&self, at: Position, first: &[u8], deadline: Deadline) -> Result<(), Error> {
        let put = &self.head().put;
        let record = self.record_for(at, first);
        let ready = |count| self.has_room(at, record, count) || put.position().is_closed();
        put.bell.wait(deadline, ready).then_some(()).ok_or(Error::TimedOut)
    }

    // ANCHOR: publish
    /// From now on, the messages between these positions are in the queue.
    fn publish(&self, start: Position, end: Position) -> Result<(), Error> {
        let Head { put, get, .. } = self.head();
        let published = put.advance(start, end);
        match published {
            Ok(()) => get.bell.ring(),
            Err(_) => self.large.remove_from(start.number()),
        }
        published
    }
    // ANCHOR_END: publish

    // ANCHOR: take
    /// Takes the first message, and up to `most` together with those behind it. `buffer` is empty
    /// and may be used for them.
    pub fn take(&self, most: usize, patience: Patience, buffer: Vec<u8>) -> Result<Taken, Error> {
        let Head { put, get, .. } = self.head();
        let _locked = self.lock(get, patience.lock, Large::remove_before)?;
        let (start, end) = self.wait_for_message(patience.other_end)?;
        let first = self.record_at(start);
        let (taken, end) = match first.is_large {
            true => self.copy_large(start, first)?,
            false => self.copy(start, end, most, buffer)?,
        };
        get.advance(start, end)?; // they are out of the queue
        put.bell.ring();
        if first.is_large {
            self.large.remove(start.number(), 1);
        }
        Ok(taken)
    }

    /// Returns the positions before and behind the messages.
    fn wait_for_message(&self, deadline: Deadline) -> Result<(Position, Position), Error> {
        let Head { put, get, .. } = self.head();
        loop {
            let start = get.open_position()?;
            let seen = get.seen();
            let end = if seen.messages_since(start) > 0 { seen } else { get.see(put) };
            if end.messages_since(start) > 0 {
                return Ok((start, end));
            }
            if end.is_closed() {
                return Err(Error::Closed);
            }
            let ready = |count| {
                let end = put.position();
                end.messages_since(start) >= count || end.is_closed() || get.position() != start
            };
            if !get.bell.wait(deadline, ready) {
                return Err(Error::TimedOut);
            }
        }
    }

    fn copy(
        &self,
        start: Position,
        end: Position,
        most: usize,
        mut buffer: Vec<u8>,
    ) -> Result<(Taken, Position), Error> {
        let count = (end.messages_since(start) as usize).min(most) as u32;
        let mut position = start;
        while position.messages_since(start) < count {
            let record = self.record_at(position);
            let bytes = record.end.wrapping_sub(start.unit()) as usize * UNIT;
            if record.is_large || (bytes > TOGETHER && position != start) {
                break;
            }
            position = position.after_message(record.end);
        }
        let length = position.unit().wrapping_sub(start.unit()) as usize * UNIT;
        let what = || format!("take {length} bytes out of a queue");
        buffer.try_reserve(length).trying_to_do(what)?;
        let bytes = NonNull::slice_from_raw_parts(self.place(start.unit(), length), length);
        // SAFETY: it is a place in the ring, which is mapped. It lies between the positions of
        // `get` and `put`, so only the holder of the lock of `get` uses it, which is this thread.
        buffer.extend_from_slice(unsafe { bytes.as_ref() });
        Ok((Taken::new(start.unit(), buffer), position))
    }

    fn copy_large(&self, start: Position, record: Record) -> Result<(Taken, Position), Error> {
        let what = || format!("take a message of {} bytes out of a queue", record.length);
        let taken = Taken::of_one(start.unit(), record.length, |bytes| {
            self.large.read(start.number(), bytes)
        });
        Ok((taken.trying_to_do(what)?, start.after_message(record.end)))
    }

    fn record_at(&self, at: Position) -> Record {
        // SAFETY: as in `copy`; a message lies there. It is aligned, because a unit has 8 bytes.
        let header = unsafe { self.place(at.unit(), UNIT).cast().read() };
        Record::from_header(at.unit(), header)
    }
    // ANCHOR_END: take

    /// The address of bytes in the ring. (Each byte of the ring has two addresses. That is sound
    /// because a producer's writes and a consumer's reads are separated by a position that moves,
    /// whichever addresses they use.)
    fn place(&self, unit: u32, length: usize) -> NonNull<u8> {
        let ring = self.length();
        assert!(length <= ring, "a message is longer than the ring of its queue");
        // SAFETY: the memory has `RING` bytes and twice the ring. The first byte lies in the first
        // half, and the last one at most a ring behind it.
        unsafe { self.memory.area.start.add(RING + unit as usize * UNIT % ring) }
    }

    /// The number of messages at one moment.
    pub fn len(&self) -> u32 {
        let Head { put, get, .. } = self.head();
        let mut start = get.position();
        loop {
            let end = put.position();
            let again = get.position(); // if it has not moved, it was there together with `end`
            if again == start {
                return if start.is_closed() { 0 } else { end.messages_since(start) };
            }
            start = again;
        }
    }

    pub fn maxsize(&self) -> u32 {
        self.head().maxsize.load(Relaxed)
    }

    pub fn is_closed(&self) -> bool {
        self.head().put.position().is_closed()
    }

    /// Nothing more is put; with `now`, nothing more is got, either.
    pub fn close(&self, now: bool) {
        let Head { put, get, .. } = self.head();
        put.close();
        if now {
            get.close();
            self.large.remove_all();
        }
        put.bell.ring();
        get.bell.ring();
    }
}

#[cfg(test)]
mod tests;
