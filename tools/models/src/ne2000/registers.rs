//! The registers of the three pages.

use super::{Ne2000, isr};
use crate::Env;

impl Ne2000 {
    pub(super) fn read_register(&mut self, env: &mut dyn Env, register: u16) -> u8 {
        match (self.page, register) {
            (_, 0) => {
                let send = self.tx.is_some() && !self.faults.txp_hidden;
                self.page << 6 | self.dma_bits << 3 | (send as u8) << 2 | if self.running { 2 } else { 1 }
            }
            (0, 1 | 2) => 0,
            (0, 3) => self.bnry,
            (0, 4) => self.tsr,
            (0, 5) => 0,
            (0, 7) => {
                self.told |= self.isr & isr::OVERFLOW != 0;
                self.isr
            }
            (0, 8 | 9) => {
                let at = self.dma.as_ref().map_or(self.rsar, |dma| dma.at);
                at.to_le_bytes()[register as usize - 8]
            }
            (0, 0xC) => 1,
            (0, 0xD..=0xF) => std::mem::take(&mut self.tally[register as usize - 0xD]),
            (1, 1..=6) => self.par[register as usize - 1],
            (1, 7) => self.curr,
            (1, 8..=0xF) => self.mar[register as usize - 8],
            (2, 1) => self.pstart,
            (2, 2) => self.pstop,
            (2, 4) => self.tpsr,
            (2, 0xC) => self.rcr,
            (2, 0xD) => self.tcr,
            (2, 0xE) => self.dcr,
            (2, 0xF) => self.imr,
            (page, register) => {
                env.complain(&format!("read of register {register:X}h of page {page}"));
                0xFF
            }
        }
    }

    pub(super) fn write_register(&mut self, env: &mut dyn Env, register: u16, value: u8) {
        let quiet = |model: &Ne2000, env: &mut dyn Env| {
            if model.running {
                env.complain(&format!("register {register:X}h of page {} written while running", model.page));
            }
        };
        match (self.page, register) {
            (_, 0) => self.command(env, value),
            (0, 1) => {
                quiet(self, env);
                self.pstart = value;
            }
            (0, 2) => {
                quiet(self, env);
                self.pstop = value;
            }
            (0, 3) => {
                if self.running && !self.ring_has(value) {
                    env.complain(&format!("boundary {value:02X}h outside the ring"));
                }
                if self.running && self.overflowed && self.told {
                    env.complain("frames taken out of an overflowed ring that was not stopped");
                }
                self.bnry = value;
            }
            (0, 4..=6) => {
                if self.tx.is_some() {
                    env.complain("transmit registers written during a transmission");
                }
                let [low, high] = self.tbcr.to_le_bytes();
                match register {
                    4 => self.tpsr = value,
                    5 => self.tbcr = u16::from_le_bytes([value, high]),
                    _ => self.tbcr = u16::from_le_bytes([low, value]),
                }
            }
            (0, 7) => {
                if value & isr::OVERFLOW != 0 && self.overflowed && self.running {
                    env.complain("overflow acknowledged without a stop");
                }
                self.isr &= !(value & 0x7F);
            }
            (0, 8) => self.rsar = self.rsar & 0xFF00 | value as u16,
            (0, 9) => self.rsar = self.rsar & 0x00FF | (value as u16) << 8,
            (0, 0xA) => self.rbcr = self.rbcr & 0xFF00 | value as u16,
            (0, 0xB) => self.rbcr = self.rbcr & 0x00FF | (value as u16) << 8,
            (0, 0xC) => {
                if value & 0xC0 != 0 {
                    env.complain("reserved bits in the receive configuration");
                }
                self.rcr = value;
            }
            (0, 0xD) => {
                if value & !6 != 0 {
                    env.complain("transmit configuration that is for tests only");
                }
                self.tcr = value;
            }
            (0, 0xE) => {
                quiet(self, env);
                if value & 8 == 0 || value & 0x96 != 0 {
                    env.complain(&format!("data configuration {value:02X}h"));
                }
                self.dcr = value;
            }
            (0, 0xF) => {
                if value & 0x80 != 0 {
                    env.complain("reserved bit in the interrupt mask");
                }
                self.imr = value;
            }
            (1, 1..=6) => self.par[register as usize - 1] = value,
            (1, 7) => {
                quiet(self, env);
                self.curr = value;
            }
            (1, 8..=0xF) => self.mar[register as usize - 8] = value,
            (page, register) => env.complain(&format!("write of register {register:X}h of page {page}")),
        }
    }
}
