//! How far one end of a queue has come.

/// Message numbers go from 0 to one less than this, and begin again.
pub const NUMBERS: u32 = 1 << 30;

const NUMBER_SHIFT: u32 = 32;

/// One word, so that it changes in one step:
///
/// - bits 0 to 31: the place in the ring, in units of 8 bytes, counted on and on;
/// - bits 32 to 61: the number of the next message;
/// - bit 63: this end is closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position(pub u64);

impl Position {
    /// The bit of a closed end.
    pub const CLOSED: u64 = 1 << 63;

    pub fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    pub fn unit(self) -> u32 {
        self.0 as u32
    }

    pub fn number(self) -> u32 {
        (self.0 >> NUMBER_SHIFT) as u32 % NUMBERS
    }

    /// Behind a message that ends at this unit.
    pub fn after_message(self, unit: u32) -> Self {
        let number = (self.number() + 1) % NUMBERS;
        Self(self.0 & Self::CLOSED | u64::from(number) << NUMBER_SHIFT | u64::from(unit))
    }

    /// The number of messages from an earlier position to this one.
    pub fn messages_since(self, earlier: Self) -> u32 {
        self.number().wrapping_sub(earlier.number()) % NUMBERS
    }
}
