//! Rings of descriptors: where they are, and what a descriptor says.

use crate::Env;

/// The most descriptors of a ring.
const MOST: u32 = 1024;
/// Bytes of a descriptor.
const SIZE: u32 = 16;

/// Bits of a descriptor's first word.
pub mod word {
    /// The NIC owns it.
    pub const OWN: u32 = 1 << 31;
    /// The last one of its ring.
    pub const LAST: u32 = 1 << 30;
    /// The frame begins here.
    pub const FIRST_PART: u32 = 1 << 29;
    /// The frame ends here.
    pub const LAST_PART: u32 = 1 << 28;
}

/// A descriptor as read from memory.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Its place.
    pub at: u32,
    /// Its first word: status.
    pub status: u32,
    /// Its second word.
    pub options: u32,
    /// Its buffer.
    pub buffer: u32,
}

/// A ring.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    low: u32,
    high: u32,
    index: u32,
}

impl Ring {
    /// The low half of its address, as written.
    pub fn low(&self) -> u32 {
        self.low
    }

    /// The high half.
    pub fn high(&self) -> u32 {
        self.high
    }

    /// Writes the high half.
    pub fn set_high(&mut self, env: &mut dyn Env, value: u32) {
        if value != 0 {
            env.complain(&format!("a ring above 4 GB: {value:X}h"));
        }
        self.high = value;
    }

    /// Writes the low half: the ring is in use from its first descriptor on.
    pub fn set_low(&mut self, env: &mut dyn Env, value: u32) {
        if value & 0xFF != 0 {
            env.complain(&format!("a ring at {value:08X}, not a multiple of 256"));
        }
        self.low = value & !0xFF;
        self.index = 0;
    }

    /// It has an address.
    pub fn set(&self) -> bool {
        self.low != 0
    }

    /// Begins again at its first descriptor.
    pub fn rewind(&mut self) {
        self.index = 0;
    }

    /// The descriptor that comes next.
    pub fn head(&self, env: &mut dyn Env) -> Descriptor {
        let at = self.low.wrapping_add(self.index * SIZE);
        let mut bytes = [0; SIZE as usize];
        env.dma_read(at, &mut bytes);
        let field = |from: usize| u32::from_le_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]]);
        let high = field(12);
        let found = Descriptor { at, status: field(0), options: field(4), buffer: field(8) };
        if found.status & word::OWN != 0 && high != 0 {
            env.complain(&format!("a buffer above 4 GB: descriptor {} at {at:08X}", self.index));
        }
        found
    }

    /// Goes on behind a descriptor.
    pub fn step(&mut self, env: &mut dyn Env, status: u32) {
        self.index += 1;
        if status & word::LAST != 0 {
            self.index = 0;
        } else if self.index == MOST {
            env.complain("a ring of more than 1024 descriptors: none of them says that it is the last");
            self.index = 0;
        }
    }

    /// Where the engine is; to go back to.
    pub fn place(&self) -> u32 {
        self.index
    }

    /// Goes back.
    pub fn go_back(&mut self, place: u32) {
        self.index = place;
    }
}
