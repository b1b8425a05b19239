//! The ports of an 8254x, which do nothing in QEMU: IOADDR chooses a register, IODATA reads and writes it.

use crate::front::{Front, Inner};

/// Bytes of the registers.
const REGISTERS: u32 = 0x2_0000;

/// The ports.
#[derive(Debug, Default)]
pub struct Ports {
    address: u32,
}

impl Front for Ports {
    fn read(&mut self, inner: &mut dyn Inner, at: u32, width: u8) -> u32 {
        match (at, width) {
            (0, 4) => self.address,
            (4, 4) if self.address < REGISTERS => inner.read(self.address),
            (4, 4) => {
                inner.complain(&format!("IODATA read while IOADDR is {:08X}", self.address));
                0
            }
            _ => {
                inner.complain(&format!("{width} bytes read at port {at:02X}h"));
                u32::MAX >> (32 - 8 * width)
            }
        }
    }

    fn write(&mut self, inner: &mut dyn Inner, at: u32, width: u8, value: u32) {
        match (at, width) {
            (0, 4) => {
                if value & 3 != 0 {
                    inner.complain(&format!("{value:08X} written to IOADDR"));
                }
                self.address = value & !3;
            }
            (4, 4) if self.address < REGISTERS => inner.write(self.address, value),
            (4, 4) => inner.complain(&format!("{value:08X} written to IODATA while IOADDR is {:08X}", self.address)),
            _ => inner.complain(&format!("{width} bytes written at port {at:02X}h")),
        }
    }

    fn hard_reset(&mut self) {
        self.address = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Card {
        registers: BTreeMap<u32, u32>,
        complaints: usize,
    }

    impl Inner for Card {
        fn read(&mut self, at: u32) -> u32 {
            self.registers.get(&at).copied().unwrap_or(0)
        }
        fn write(&mut self, at: u32, value: u32) {
            self.registers.insert(at, value);
        }
        fn complain(&mut self, _: &str) {
            self.complaints += 1;
        }
    }

    #[test]
    fn iodata_is_the_register_that_ioaddr_chooses() {
        let (mut ports, mut card) = (Ports::default(), Card::default());
        card.registers.insert(0x0008, 0x8008_0783);
        for (register, value) in [(0x5200, 1), (0x5208, 2), (0x1_FFFC, 3)] {
            ports.write(&mut card, 0, 4, register);
            ports.write(&mut card, 4, 4, value);
        }
        for (register, value) in [(0x5208, 2), (0x5200, 1), (0x1_FFFC, 3), (0x0008, 0x8008_0783)] {
            ports.write(&mut card, 0, 4, register);
            assert_eq!(ports.read(&mut card, 0, 4), register);
            assert_eq!(ports.read(&mut card, 4, 4), value);
        }
        ports.hard_reset();
        assert_eq!(ports.read(&mut card, 0, 4), 0);
        assert_eq!(card.complaints, 0);
    }

    #[test]
    fn accesses_of_another_width_or_beyond_the_registers_reach_nothing() {
        let (mut ports, mut card) = (Ports::default(), Card::default());
        ports.write(&mut card, 0, 4, REGISTERS);
        ports.write(&mut card, 4, 4, 5);
        assert_eq!(ports.read(&mut card, 4, 4), 0);
        ports.write(&mut card, 0, 4, 0x5201);
        ports.write(&mut card, 4, 2, 5);
        ports.write(&mut card, 6, 2, 5);
        assert_eq!(ports.read(&mut card, 4, 1), 0xFF);
        assert_eq!((card.complaints, card.registers.len()), (6, 0));
    }
}
