//! The data port: RAM and PROM by remote DMA.

use super::{Ne2000, isr};
use crate::Env;

impl Ne2000 {
    pub(super) fn data_byte(&mut self, env: &mut dyn Env, write: Option<u8>) -> u8 {
        let Some(dma) = &mut self.dma else {
            env.complain("data port without remote DMA");
            return 0xFF;
        };
        if dma.write != write.is_some() {
            env.complain("data port in the wrong direction");
        }
        if dma.left == 0 {
            env.complain("data port past the end of remote DMA");
            return 0xFF;
        }
        let at = dma.at;
        dma.left -= 1;
        dma.at = dma.at.wrapping_add(1);
        if dma.at == (self.pstop as u16) << 8 {
            dma.at = (self.pstart as u16) << 8;
        }
        if dma.left == 0 && !self.faults.dma_dead {
            self.isr |= isr::DMA_DONE;
        }
        let index = self.ram_index(at);
        let probing = !self.running || self.tcr & 6 != 0;
        match (write, index) {
            (Some(value), Some(index)) => {
                let page = (at >> 8) as u8;
                if !probing && self.ring_has(page) {
                    env.complain("write into the receive ring");
                }
                if self.tx.is_some() && page.wrapping_sub(self.tpsr) < 6 {
                    env.complain("write into the frame that is being transmitted");
                }
                self.ram[index] = value;
                value
            }
            (None, Some(index)) => self.ram[index],
            (None, None) if at < 0x20 => self.prom(at),
            _ => {
                if !probing {
                    env.complain(&format!("remote DMA at {at:04X}h, where there is no RAM"));
                }
                0xFF
            }
        }
    }

    pub(super) fn prom(&self, at: u16) -> u8 {
        let mark = if self.options.doubled { 0x57 } else { 0x42 };
        let byte = if self.options.doubled { at as usize / 2 } else { at as usize & 0x0F };
        match byte {
            0..6 => self.options.mac[byte],
            14 | 15 => mark,
            _ => 0,
        }
    }

    pub(super) fn data(&mut self, env: &mut dyn Env, width: u8, write: Option<u32>) -> u32 {
        let word_mode = self.dcr & 1 != 0;
        match (self.options.wide, word_mode, width) {
            (_, _, 4) => {
                env.complain("32-bit access to the data port");
                u32::MAX
            }
            // A word on an 8-bit bus is two bytes, but word mode counts two for each of them: a driver can detect that.
            (false, true, _) => {
                for byte in (0..width).flat_map(|byte| [byte; 2]) {
                    if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
                        self.data_byte(env, write.map(|value| (value >> (8 * byte)) as u8));
                    }
                }
                u32::MAX
            }
            (false, false, 2) => (0..2).fold(0, |word, byte| {
                word | (self.data_byte(env, write.map(|value| (value >> (8 * byte)) as u8)) as u32) << (8 * byte)
            }),
            (true, false, 2) => {
                env.complain("word access in byte mode");
                u32::MAX
            }
            (_, false, _) => self.data_byte(env, write.map(|value| value as u8)) as u32,
            (true, true, _) => {
                if width == 1 && write.is_some() {
                    env.complain("byte written in word mode");
                }
                let low = self.data_byte(env, write.map(|value| value as u8)) as u32;
                if write.is_none() && self.dma.as_ref().is_some_and(|dma| dma.left == 0) {
                    return low;
                }
                let high = self.data_byte(env, write.map(|value| (value >> 8) as u8)) as u32;
                if width == 1 { low } else { low | high << 8 }
            }
        }
    }
}
