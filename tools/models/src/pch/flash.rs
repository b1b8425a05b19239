//! The part of the flash that belongs to the LAN, by hardware sequencing: two banks of 4 KB, of which the first one is valid.

use super::part::{Generation, Part};
use crate::Env;
use crate::faults::{Faults, Kind};

/// Nanoseconds of a read.
const CYCLE: u64 = 8_000;
/// Bytes of a bank.
const BANK: usize = 0x1000;
/// Where the region begins in the flash of a part with a flash address register of its own.
const BASE: u32 = 0x3000;

/// Bits of the status (04h) and, above them, the control (06h).
mod bit {
    pub const DONE: u32 = 1;
    pub const ERROR: u32 = 1 << 1;
    pub const ACCESS_ERROR: u32 = 1 << 2;
    pub const BUSY: u32 = 1 << 5;
    pub const DESCRIPTOR_VALID: u32 = 1 << 14;
    pub const LOCKED: u32 = 1 << 15;
    pub const GO: u32 = 1 << 16;
}

/// Words of the image.
pub mod word {
    /// Bit 0: the checksum was calculated, on the I217 and later.
    pub const COMPATIBILITY: usize = 3;
    /// Bits 15:14 are 10b in a valid bank.
    pub const SIGNATURE: usize = 0x13;
    /// Bit 6: the checksum was calculated, on the 82577 and 82579.
    pub const FUTURE: usize = 0x19;
    /// Bit 0: K1 is allowed.
    pub const K1: usize = 0x1B;
    /// The words to here sum up to BABAh.
    pub const CHECKSUM: usize = 0x3F;
}

/// The flash and its controller.
#[derive(Clone, Debug)]
pub struct Flash {
    image: Vec<u8>,
    base: u32,
    status: u32,
    control: u32,
    address: u32,
    data: u32,
    until: Option<u64>,
    protected: u32,
}

/// The image of a part with this address; all ones if it is blank.
fn image(part: Part, mac: [u8; 6], blank: bool, spoilt: bool) -> Vec<u8> {
    let mut words = [0xFFFFu16; BANK];
    if !blank {
        words[..0x40].fill(0);
        for (word, pair) in words.iter_mut().zip(mac.chunks(2)) {
            *word = u16::from_le_bytes([pair[0], pair[1]]);
        }
        words[word::COMPATIBILITY] = (part.generation >= Generation::Lpt) as u16;
        // LEDs, device, subsystem.
        words[4] = 0xFFFF;
        words[0xB] = part.device;
        words[0xC] = 0x8086;
        words[0xD] = part.device;
        words[0xF] = 0x0040;
        words[word::SIGNATURE] = 0x8000;
        words[word::FUTURE] = 0x0040;
        words[word::K1] = 1;
        let sum = words[..word::CHECKSUM].iter().fold(0u16, |sum, word| sum.wrapping_add(*word));
        words[word::CHECKSUM] = 0xBABAu16.wrapping_sub(sum) ^ (spoilt as u16) << 3;
    }
    words.into_iter().flat_map(u16::to_le_bytes).collect()
}

impl Flash {
    /// A flash with an image for this part.
    pub fn new(part: Part, mac: [u8; 6], blank: bool, faults: &Faults) -> Flash {
        Flash {
            image: image(part, mac, blank, faults.planned(Kind::BadChecksum)),
            base: if part.whole() { 0 } else { BASE },
            status: bit::DONE | bit::DESCRIPTOR_VALID,
            control: 0,
            address: 0,
            data: 0,
            until: None,
            protected: 0,
        }
    }

    /// Ends a cycle that is due.
    fn advance(&mut self, now: u64) {
        if self.until.is_none_or(|at| at > now) {
            return;
        }
        self.until = None;
        self.status = self.status & !bit::BUSY | bit::DONE;
        let count = (self.control >> 8 & 3) as usize + 1;
        let from = self.address.wrapping_sub(self.base) as usize;
        match self.image.get(from..from + count) {
            Some(bytes) => self.data = bytes.iter().rev().fold(0, |word, byte| word << 8 | *byte as u32),
            None => self.status |= bit::ERROR | bit::ACCESS_ERROR,
        }
    }

    /// Reads the double word at an offset of the controller.
    pub fn read(&mut self, env: &mut dyn Env, at: u16) -> u32 {
        self.advance(env.now_ns());
        match at {
            // First and last sector of 4 KB.
            0x00 => self.base >> 12 | ((self.base as usize + self.image.len() - 1) >> 12 << 16) as u32,
            0x04 => self.status | self.control << 16,
            0x08 => self.address,
            0x10 => self.data,
            // The LAN may read and write its own region.
            0x50 => 0x0808_0808,
            0x74 => self.protected,
            0x14..=0x4C => 0,
            _ => {
                env.complain(&format!("the flash's controller has no register at {at:02X}h"));
                0
            }
        }
    }

    /// Writes the bytes of a double word that `mask` selects.
    pub fn write(&mut self, env: &mut dyn Env, at: u16, value: u32, mask: u32) {
        self.advance(env.now_ns());
        if self.until.is_some() && mask & 0xFFFF_0000 != 0 {
            env.complain(&format!("{value:08X} written to the flash's controller at {at:02X}h while a cycle is in progress"));
            return;
        }
        match at {
            0x04 => {
                self.status &= !(value & mask & (bit::DONE | bit::ERROR | bit::ACCESS_ERROR));
                self.status |= value & mask & bit::LOCKED;
                if mask & 0xFFFF_0000 != 0 {
                    self.control = value >> 16 & 0x3FE;
                    if value & bit::GO != 0 {
                        self.go(env);
                    }
                }
            }
            0x08 => self.address = value & 0x1FF_FFFF,
            0x74 => self.protected = value,
            _ => env.complain(&format!("{value:08X} written to the flash's controller at {at:02X}h")),
        }
    }

    /// Begins a cycle.
    fn go(&mut self, env: &mut dyn Env) {
        if self.status & bit::DONE != 0 {
            env.complain("a flash cycle begins while the end of the last one is not acknowledged");
        }
        if self.control >> 1 & 3 != 0 {
            env.complain(&format!("a flash cycle that is no read: control {:04X}", self.control));
            self.status |= bit::ERROR | bit::DONE;
            return;
        }
        self.status |= bit::BUSY;
        self.until = Some(env.now_ns() + CYCLE);
    }

    /// The station address that the MAC loads at reset. None: no bank is valid.
    pub fn station(&self) -> Option<[u8; 6]> {
        let valid = self.image[2 * word::SIGNATURE + 1] >> 6 == 2;
        valid.then(|| self.image[..6].try_into().ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pch::part::I217LM;

    #[test]
    fn the_image_sums_up_to_baba_unless_it_is_spoilt() {
        for spoilt in [false, true] {
            let bytes = image(I217LM, [2, 4, 6, 8, 10, 12], false, spoilt);
            let sum = bytes[..0x80].chunks(2).fold(0u16, |sum, pair| sum.wrapping_add(u16::from_le_bytes([pair[0], pair[1]])));
            assert_eq!(sum == 0xBABA, !spoilt);
        }
    }
}
