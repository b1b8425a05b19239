//! The serial EEPROM: 64 words of 16 bits, by a command register and with delays.

use crate::Env;

/// Nanoseconds for a read.
const READ: u64 = 162_000;
/// Nanoseconds for write enable and disable.
const ENABLE: u64 = 60_000;
/// Nanoseconds for a write or an erase.
const WRITE: u64 = 11_000_000;

/// The EEPROM and its state.
#[derive(Clone, Debug)]
pub struct Eeprom {
    /// Its words.
    pub words: [u16; 64],
    sums: Sums,
    busy_until: u64,
    data: u16,
    writable: bool,
}

/// The places of the checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// 3C509B: words 0Fh and 17h, two bytes each.
    El3,
    /// The low byte of this word makes the XOR of all bytes up to it zero: word 17h, or 20h on the 3C90xB.
    Xor(usize),
}

impl Eeprom {
    /// An EEPROM with these words and right checksums.
    pub fn new(mut words: [u16; 64], sums: Sums) -> Eeprom {
        match sums {
            Sums::El3 => {
                let fold = |list: &mut dyn Iterator<Item = usize>| list.fold(0, |sum, at| sum ^ words[at]);
                let byte = |word: u16| (word ^ word >> 8) & 0xFF;
                let address = byte(fold(&mut (0..=7).chain(0xA..=0xC).chain([0xE])));
                let config = byte(fold(&mut [8, 9, 0xD].into_iter()));
                let pnp = byte(fold(&mut (0x10..=0x12).chain(0x18..=0x3F)));
                let second = byte(fold(&mut (0x13..=0x16)));
                words[0xF] = address << 8 | config;
                words[0x17] = pnp << 8 | second;
            }
            Sums::Xor(at) => {
                let word = words[..at].iter().fold(0, |sum, word| sum ^ word);
                words[at] = (word ^ word >> 8) & 0xFF;
            }
        }
        Eeprom { sums, words, busy_until: 0, data: 0, writable: false }
    }

    /// Makes its checksums wrong.
    pub fn spoil(&mut self) {
        match self.sums {
            Sums::El3 => {
                self.words[0xF] ^= 0x5A5A;
                self.words[0x17] ^= 0x5A5A;
            }
            Sums::Xor(at) => self.words[at] ^= 0x5A,
        }
    }

    /// Whether a command is in progress.
    pub fn busy(&self, now: u64) -> bool {
        now < self.busy_until
    }

    /// The data register.
    pub fn data(&self, env: &mut dyn Env) -> u16 {
        if self.busy(env.now_ns()) {
            env.complain("EEPROM data read while a command is at work");
            return 0xFFFF;
        }
        self.data
    }

    /// The data register, for writing.
    pub fn set_data(&mut self, value: u16) {
        self.data = value;
    }

    /// A command of two bits (10 read, 01 write, 11 erase, 00 with address bits 5:4 others) and a word number.
    pub fn command(&mut self, env: &mut dyn Env, operation: u16, at: u16) {
        if self.busy(env.now_ns()) {
            env.complain("EEPROM command while another is at work");
            return;
        }
        let word = (at & 0x3F) as usize;
        let time = match (operation & 3, at >> 4 & 3) {
            (2, _) => {
                self.data = self.words[word];
                READ
            }
            (0, 3) => {
                self.writable = true;
                ENABLE
            }
            (0, 0) => {
                self.writable = false;
                ENABLE
            }
            (1, _) | (3, _) => {
                if self.writable {
                    self.words[word] = if operation & 3 == 1 { self.data } else { 0xFFFF };
                } else {
                    env.complain("EEPROM written without being enabled");
                }
                WRITE
            }
            _ => {
                env.complain("EEPROM: whole-array command");
                WRITE
            }
        };
        self.busy_until = env.now_ns() + time;
    }

    /// The word for a read by the ID port, at once.
    pub fn word(&self, at: u16) -> u16 {
        self.words[(at & 0x3F) as usize]
    }
}
