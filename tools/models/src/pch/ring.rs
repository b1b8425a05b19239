//! A ring of descriptors of 16 bytes: its five registers.

use crate::Env;

/// A ring.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    low: u32,
    high: u32,
    length: u32,
    head: u32,
    tail: u32,
    /// The tail that the engine goes by; another one than the register if a doorbell was not heard.
    heard: u32,
}

impl Ring {
    /// Descriptors.
    fn count(&self) -> u32 {
        self.length / 16
    }

    /// Bytes, as written.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Descriptors that are the NIC's.
    pub fn owned(&self) -> u32 {
        match self.count() {
            0 => 0,
            count => (self.heard % count + count - self.head % count) % count,
        }
    }

    /// The address of the N-th descriptor behind the head.
    pub fn at(&self, number: u32) -> u32 {
        self.low.wrapping_add((self.head + number) % self.count().max(1) * 16)
    }

    /// Goes on behind so many descriptors.
    pub fn step(&mut self, by: u32) {
        self.head = (self.head + by) % self.count().max(1);
    }

    /// As an earlier owner has left it: a ring in memory that now belongs to somebody else.
    pub fn leave(&mut self) {
        *self = Ring { low: 0x9_0000, high: 0, length: 0x80, head: 0, tail: 3, heard: 3 };
    }

    /// All descriptors are consumed.
    pub fn drain(&mut self) {
        self.head = self.heard;
    }

    /// An interrupt is due for few descriptors: at most half of them are left.
    pub fn low_on(&self) -> bool {
        self.owned() <= self.count() / 2
    }

    /// Reads the register at this offset from the first one.
    pub fn read(&self, at: u16) -> u32 {
        match at {
            0x00 => self.low,
            0x04 => self.high,
            0x08 => self.length,
            0x10 => self.head,
            _ => self.tail,
        }
    }

    /// Writes it. `on`: the engine is enabled. `deaf`: the doorbell is not heard.
    pub fn write(&mut self, env: &mut dyn Env, at: u16, value: u32, on: bool, deaf: bool) {
        if on && at != 0x18 {
            env.complain(&format!("{value:08X} written to the ring's register {at:02X}h while its engine is on"));
        }
        match at {
            0x00 => {
                if value & 0xF != 0 {
                    env.complain(&format!("a ring at {value:08X}, not a multiple of 16"));
                }
                self.low = value & !0xF;
            }
            0x04 => {
                if value != 0 {
                    env.complain(&format!("a ring above 4 GB: {value:X}h"));
                }
                self.high = value;
            }
            0x08 => {
                if value & 0x7F != 0 || value > 0x10_0000 {
                    env.complain(&format!("a ring of {value:X}h bytes, not a multiple of 128, or too many"));
                }
                self.length = value & 0xF_FF80;
            }
            0x10 => self.head = value & 0xFFFF,
            _ => {
                if value != 0 && value >= self.count() {
                    env.complain(&format!("a tail of {value:X}h in a ring of {:X}h descriptors", self.count()));
                }
                self.tail = value & 0xFFFF;
                if !deaf {
                    self.heard = self.tail;
                }
            }
        }
    }
}
