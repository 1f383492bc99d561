//! A message in the ring.

use std::io;

/// The unit of places in the ring, in bytes.
pub const UNIT: usize = 8;

/// The bytes of longer messages begin at a cache line: copying is then several times faster on
/// some processors.
const LONG: usize = 1024;
const LINE: u32 = 64 / UNIT as u32;

const LARGE: u64 = 1 << 63;

/// Where a message lies. Units are counted on and on, and begin again after the last `u32`.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// The unit of the first byte. The header lies before it.
    pub bytes: u32,
    /// The unit behind it.
    pub end: u32,
    pub length: usize,
    /// The bytes are not in the ring.
    pub is_large: bool,
}

impl Record {
    pub fn new(start: u32, length: usize) -> Self {
        let bytes = start.wrapping_add(1);
        let gap = if length < LONG { 0 } else { bytes.wrapping_neg() % LINE };
        let bytes = bytes.wrapping_add(gap);
        let end = bytes.wrapping_add(length.div_ceil(UNIT) as u32);
        Self { bytes, end, length, is_large: false }
    }

    pub fn large(start: u32, length: usize) -> Self {
        let end = start.wrapping_add(1);
        Self { bytes: end, end, length, is_large: true }
    }

    pub fn header(self) -> u64 {
        self.length as u64 | if self.is_large { LARGE } else { 0 }
    }

    pub fn from_header(start: u32, header: u64) -> Self {
        let length = (header & !LARGE) as usize;
        if header & LARGE == 0 { Self::new(start, length) } else { Self::large(start, length) }
    }
}

/// Messages that were taken out of the ring, as they lay there.
#[derive(Debug)]
pub struct Taken {
    bytes: Vec<u8>,
    /// The unit of the first byte.
    start: u32,
    /// The unit of the next message.
    next: u32,
}

impl Taken {
    pub fn new(start: u32, bytes: Vec<u8>) -> Self {
        Self { bytes, start, next: start }
    }

    /// The memory, for another use.
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// One message, whose bytes `fill` writes.
    pub fn of_one(
        start: u32,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let record = Record::new(start, length);
        let mut taken = Self::new(start, Vec::new());
        let (first, end) = (taken.index(record.bytes), taken.index(record.end));
        taken.bytes.try_reserve_exact(end)?;
        taken.bytes.extend(record.header().to_ne_bytes());
        taken.bytes.resize(end, 0);
        fill(&mut taken.bytes[first..first + length])?;
        Ok(taken)
    }

    /// The bytes of the next message.
    pub fn next(&mut self) -> Option<&[u8]> {
        let header = *self.bytes.get(self.index(self.next)..)?.first_chunk()?;
        let record = Record::from_header(self.next, u64::from_ne_bytes(header));
        self.next = record.end;
        let first = self.index(record.bytes);
        self.bytes.get(first..first + record.length)
    }

    fn index(&self, unit: u32) -> usize {
        unit.wrapping_sub(self.start) as usize * UNIT
    }
}
