//! Control blocks of rings, and the order of bytes in what the chip reads and writes.

use super::{Tg3, registers};
use crate::Env;

/// SRAM: the control block of the send ring and of the return ring.
pub const SEND: u32 = 0x0100;
pub const RETURN: u32 = 0x0200;
/// The standard ring's control block: high and low address, size and flags, address in SRAM.
pub const STD: u16 = 0x2450;
/// Bit of the flags: not in use.
const DISABLED: u32 = 1 << 1;

/// A ring in the host's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Its place.
    pub at: u32,
    /// The high half of its address, which must be 0 here.
    pub high: u32,
    /// Its entries; 0: there is no ring.
    pub size: u32,
    /// The low word of its size: flags, or for the standard ring of some chips the longest frame.
    pub flags: u32,
}

impl Ring {
    fn new(words: [u32; 3]) -> Ring {
        let [high, at, length] = words;
        let off = length & DISABLED != 0;
        Ring { at, high, size: if off { 0 } else { length >> 16 }, flags: length & 0xFFFF }
    }

    /// The entry behind this one.
    pub fn next(&self, index: u32) -> u32 {
        if index + 1 >= self.size { 0 } else { index + 1 }
    }

    /// Entries from one index to another.
    pub fn distance(&self, from: u32, to: u32) -> u32 {
        if to >= from { to - from } else { to + self.size.max(from) - from }
    }

    /// What no chip accepts; `most`: the largest size.
    pub fn wrong(&self, most: u32) -> Option<String> {
        if self.high != 0 {
            Some(format!("is above 4 GB ({:X}h)", self.high))
        } else if self.at == 0 || self.at & 0xF != 0 {
            Some(format!("is at {:08X}, not a multiple of 16", self.at))
        } else if !self.size.is_power_of_two() || self.size < 32 || self.size > most {
            Some(format!("has {} entries; 32, 64 and so on up to {most} are possible", self.size))
        } else {
            None
        }
    }
}

/// Four bytes as a number of the host.
pub fn dword(bytes: &[u8], index: usize) -> u32 {
    bytes.get(4 * index..4 * index + 4).map_or(0, |four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

impl Tg3 {
    /// The standard ring.
    pub(super) fn std_ring(&self) -> Ring {
        let off = self.get(STD + 8) & DISABLED != 0 && !self.part.large;
        let flags = self.get(STD + 8) & if off { u32::MAX } else { !DISABLED };
        Ring::new([self.get(STD), self.get(STD + 4), flags])
    }

    /// A ring whose control block is in SRAM.
    pub(super) fn sram_ring(&self, at: u32) -> Ring {
        let word = |offset| self.sram.get(&(at + offset)).copied().unwrap_or(0);
        Ring::new([word(0), word(4), word(8)])
    }

    /// Descriptors and frames have the order of bytes of a PC. Otherwise a complaint.
    pub(super) fn ordered(&self, env: &mut dyn Env) {
        let swaps = self.get(registers::MODE) & registers::SWAPS;
        if swaps != registers::SWAPS_OF_PC {
            env.complain(&format!("MODE_CTL's swaps are {swaps:02X}h; descriptors and frames of a PC need {:02X}h", registers::SWAPS_OF_PC));
        }
    }
}
