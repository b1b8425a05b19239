//! The command register: start, stop, remote DMA, transmission.

use super::{BYTE_NS, Dma, Ne2000, OVERHEAD, SETTLE_NS, Tx, isr};
use crate::Env;

impl Ne2000 {
    pub(super) fn command(&mut self, env: &mut dyn Env, value: u8) {
        let (page, dma, stop, start, send) = (value >> 6, value >> 3 & 7, value & 1 != 0, value & 2 != 0, value & 4 != 0);
        if page == 3 {
            env.complain("page 3 does not exist");
        }
        if dma == 0 {
            env.complain("command without a remote DMA code");
        }
        if stop && start {
            env.complain("start and stop at once");
        }
        self.page = page;
        if stop {
            if self.running {
                self.running = false;
                self.stop_written = env.now_ns();
                self.stopped_at = env.now_ns();
                if self.faults.stop_aborts {
                    self.tx = None;
                } else if let Some(tx) = &self.tx {
                    self.stopped_at = tx.ends.min(env.now_ns() + SETTLE_NS);
                }
            }
        } else if start && !self.running {
            self.begin(env);
        }
        self.start_dma(env, dma);
        if send {
            self.transmit(env);
        }
    }

    pub(super) fn begin(&mut self, env: &mut dyn Env) {
        if self.in_reset {
            env.complain("started in the middle of a reset pulse");
        }
        let top = self.options.ram_at as u32 + self.ram.len() as u32;
        let probing = self.tcr & 6 != 0;
        if self.pstart >= self.pstop || !self.ring_has(self.bnry) || !self.ring_has(self.curr) {
            env.complain("started with a ring that makes no sense");
        }
        if !probing && (((self.pstart as u32) << 8) < self.options.ram_at as u32 || (self.pstop as u32) << 8 > top) {
            env.complain("started with a ring outside the RAM");
        }
        if self.rbcr != 0 && self.dma.is_some() {
            env.complain("started with remote DMA under way");
        }
        if self.overflowed {
            if env.now_ns() - self.stop_written < SETTLE_NS {
                env.complain("started less than 1.6 ms after the stop that an overflow wants");
            }
            if !probing {
                env.complain("started after an overflow without loopback");
            }
            self.overflowed = false;
        }
        self.running = true;
        self.isr &= !isr::RESET;
    }

    pub(super) fn start_dma(&mut self, env: &mut dyn Env, code: u8) {
        self.dma_bits = code;
        if code & 4 != 0 {
            self.dma = None;
            return;
        }
        let write = match code {
            1 => false,
            2 => true,
            _ => return env.complain("the send packet command is of no use on this card"),
        };
        if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
            env.complain("remote DMA begun while another is under way");
        }
        if self.rbcr == 0 {
            env.complain("remote DMA of no bytes");
        }
        // An odd count is usual for reads: the last word is transferred, of which one byte counts.
        if self.dcr & 1 != 0 && (self.rsar & 1 != 0 || write && self.rbcr & 1 != 0) {
            env.complain("odd remote DMA in word mode");
        }
        self.dma = Some(Dma { write, at: self.rsar, left: self.rbcr });
    }

    pub(super) fn transmit(&mut self, env: &mut dyn Env) {
        if !self.running {
            env.complain("transmission while stopped");
        }
        if self.tcr & 6 != 0 {
            env.complain("transmission in loopback");
        }
        if self.tx.is_some() {
            // Setting TXP again during a transmission has no effect on a card; a driver must not rely on that.
            return env.complain("transmission while one is under way");
        }
        if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
            env.complain("transmission of a frame that is not yet written");
        }
        if !(60..=1514).contains(&self.tbcr) {
            env.complain(&format!("transmission of {} bytes", self.tbcr));
        }
        let pages = self.tbcr.div_ceil(256) as u8;
        if (0..pages).any(|page| self.ring_has(self.tpsr.wrapping_add(page))) {
            env.complain("the frame to transmit lies in the receive ring");
        }
        let Some(first) = self.ram_index((self.tpsr as u16) << 8) else {
            return env.complain("the frame to transmit lies outside the RAM");
        };
        let Some(frame) = self.ram.get(first..first + self.tbcr as usize) else {
            return env.complain("the frame to transmit lies outside the RAM");
        };
        let ends = env.now_ns() + (frame.len() as u64 + OVERHEAD) * BYTE_NS;
        self.tsr = 0;
        self.tx = Some(Tx { frame: frame.to_vec(), ends });
    }
}
