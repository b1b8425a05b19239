//! The 93C46 of the PCI chips, bit by bit: 64 words, read only.

/// Bits of its register.
mod line {
    pub const SELECT: u8 = 8;
    pub const CLOCK: u8 = 4;
    pub const INPUT: u8 = 2;
    pub const OUTPUT: u8 = 1;
}

/// The EEPROM.
#[derive(Clone, Debug)]
pub struct Eeprom {
    words: [u16; 64],
    last: u8,
    /// Bits received since the start bit, and their number.
    command: u16,
    count: u32,
    output: bool,
}

impl Eeprom {
    /// An EEPROM with the chip's identifier and this address.
    pub fn new(mac: [u8; 6], spoilt: bool) -> Eeprom {
        let mut words = [0xFFFF; 64];
        words[0] = if spoilt { 0xFFFF } else { 0x8129 };
        for (word, pair) in words[7..10].iter_mut().zip(mac.chunks(2)).filter(|_| !spoilt) {
            *word = u16::from_le_bytes([pair[0], pair[1]]);
        }
        Eeprom { words, last: 0, command: 0, count: 0, output: true }
    }

    /// The output line.
    pub fn output(&self) -> u8 {
        if self.output { line::OUTPUT } else { 0 }
    }

    /// Sets the lines.
    pub fn set(&mut self, lines: u8) {
        let rises = lines & line::CLOCK != 0 && self.last & line::CLOCK == 0;
        self.last = lines;
        if lines & line::SELECT == 0 {
            (self.command, self.count, self.output) = (0, 0, true);
            return;
        }
        let bit = lines & line::INPUT != 0;
        // Bits before the start bit do not count.
        if !rises || self.count == 0 && !bit {
            return;
        }
        self.count += 1;
        if self.count <= 9 {
            self.command = self.command << 1 | bit as u16;
            // A read's address is followed by a zero.
            self.output = self.count < 9;
        } else if self.command >> 6 == 6 {
            let word = self.words[(self.command & 0x3F) as usize];
            self.output = word >> (15 - (self.count - 10) % 16) & 1 != 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_bit_by_bit() {
        let mut rom = Eeprom::new([2, 4, 6, 8, 10, 12], false);
        for (at, wanted) in [(0, 0x8129), (7, 0x0402), (9, 0x0C0A)] {
            rom.set(0);
            for bit in (0..9).rev() {
                let data = if (6u16 << 6 | at) >> bit & 1 != 0 { line::INPUT } else { 0 } | line::SELECT;
                rom.set(data);
                rom.set(data | line::CLOCK);
            }
            assert_eq!(rom.output(), 0);
            let mut word = 0u16;
            for _ in 0..16 {
                rom.set(line::SELECT);
                rom.set(line::SELECT | line::CLOCK);
                word = word << 1 | rom.output() as u16;
            }
            assert_eq!(word, wanted);
        }
    }
}
