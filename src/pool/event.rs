//! What a pool is told.

/// What the system tells of a worker, by its id.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Result(u64),
    End(u64),
}

impl From<Event> for u64 {
    fn from(event: Event) -> Self {
        match event {
            Event::Result(id) => id << 1,
            Event::End(id) => id << 1 | 1,
        }
    }
}

impl From<u64> for Event {
    fn from(number: u64) -> Self {
        if number & 1 == 0 { Self::Result(number >> 1) } else { Self::End(number >> 1) }
    }
}
