//! What a driver does in the wrong order, or leaves out: complaints at the moment when it would matter.

use super::{Tg3, blocks, mac, registers, ring};
use crate::Env;

/// Times and gaps of the transmitter.
const LENGTHS: u32 = 0x2620;
/// The transmitter's mode: a bit against a lock-up of its buffers.
const LOCK_UP_FIX: u32 = 1 << 8;
/// MISC_CFG: the divider of the clock, for ticks of a microsecond.
const DIVIDER: u32 = 0x7F << 1;
const MICROSECONDS: u32 = 65 << 1;
/// PCI Express: the bit that a driver sets in 7C00h.
const PCIE_BIT: u32 = 1 << 25;
/// DMA_RW: a bit for tagged status. WDMA: another.
const DMA_TAG_FIX: u32 = 1 << 7;
const WDMA_TAG_FIX: u32 = 1 << 29;
/// Where the receive rules and the lists are configured.
const RULES: u16 = 0x0500;
const LISTS: u16 = 0x2010;
/// When a receive buffer is fetched.
pub const REPLENISH: u16 = 0x2C18;
const REPLENISH_LOW: u16 = 0x2D00;

impl Tg3 {
    /// The core is reset.
    pub(super) fn check_reset(&mut self, env: &mut dyn Env, value: u32) {
        if !self.announced() {
            env.complain("a reset of the core, but SRAM 0B50h does not have the magic number");
        }
        if self.part.express.is_some() && value & registers::NO_RETRAIN == 0 {
            env.complain("a reset of the core without bit 29: the PCI Express link is trained again");
        }
        if !self.part.cpmu && value & registers::KEEP_PHY == 0 {
            env.complain("a reset of the core without bit 26: the PHY loses its power");
        }
        if self.part.late && self.get(registers::FASTBOOT) != 0 {
            env.complain("a reset of the core, but 6894h is not 0: the boot code does not start at its beginning");
        }
        if self.get(registers::PHY_TEST) == 0x60 {
            env.complain("a reset of the core, but 7E2Ch is 60h");
        }
        if self.receiving() || self.sending() {
            env.complain("a reset of the core while the receiver or the transmitter is on");
        }
    }

    /// A register is written.
    pub(super) fn check_store(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        let turns_off = blocks::is_mode(at) && value & blocks::ENABLE == 0 && self.on(at);
        if turns_off && self.receiving() && blocks::TO_RECEIVE.contains(&at) {
            env.complain(&format!("{} is switched off while the receiver is on", blocks::name(at)));
        }
        let turns_on = blocks::is_mode(at) && value & (blocks::ENABLE | blocks::RESET) == blocks::ENABLE && !self.on(at);
        if turns_on && !matches!(at, blocks::MARB | blocks::BMAN) {
            self.check_block(env, at);
        }
        if (ring::STD..ring::STD + 16).contains(&at) && self.on(blocks::RDBDI) {
            env.complain(&format!("the standard ring's control block, {at:04X}h, is written while RDBDI is on"));
        }
        if (blocks::HCC + 8..blocks::HCC + 0x48).contains(&at) && self.on(blocks::HCC) {
            env.complain(&format!("register {at:04X}h is written while the coalescing engine (HCC) is on"));
        }
    }

    /// A block is enabled.
    fn check_block(&mut self, env: &mut dyn Env, block: u16) {
        let name = blocks::name(block);
        if let Some(off) = self.missing(&[blocks::MARB, blocks::BMAN]) {
            env.complain(&format!("{name} is enabled while these blocks are off, or not ready: {off}"));
        }
        let [std, returned] = self.part.most();
        let wrong = match block {
            blocks::RDBDI => [("standard", self.std_ring().wrong(std)), ("return", self.sram_ring(ring::RETURN).wrong(returned))],
            blocks::SBDI => [("send", self.sram_ring(ring::SEND).wrong(512)), ("", None)],
            _ => [("", None), ("", None)],
        };
        for (which, wrong) in wrong {
            if let Some(wrong) = wrong {
                env.complain(&format!("{name} is enabled, and the {which} ring {wrong}"));
            }
        }
        let std = self.std_ring();
        if block == blocks::RDBDI && self.part.large && std.flags != 0 && std.flags >> 2 < 1518 {
            env.complain(&format!("the standard ring's longest frame is {} bytes", std.flags >> 2));
        }
        if block == blocks::RDBDI && self.part.large && std.flags == 0 {
            env.complain("the standard ring's control block does not have the longest frame's length (times four)");
        }
    }

    /// The status block's address, when the coalescing engine is enabled.
    pub(super) fn check_status_block(&mut self, env: &mut dyn Env, high: u32, low: u32) {
        if high != 0 || low == 0 || low & 7 != 0 {
            env.complain(&format!("the coalescing engine is enabled, and its status block is at {high:X}:{low:08X}"));
        }
    }

    /// What both sides need.
    fn check_both(&mut self, env: &mut dyn Env, side: &str) {
        self.ordered(env);
        let mode = self.get(registers::MODE);
        for (bit, what) in [(registers::STACK_UP, "the host's stack is up (bit 16)"), (registers::HOST_SENDS, "the host has the send descriptors (bit 17)")] {
            if mode & bit == 0 {
                env.complain(&format!("the {side} is enabled, but MODE_CTL does not say that {what}"));
            }
        }
        if self.get(registers::MISC) & DIVIDER != MICROSECONDS {
            env.complain(&format!("the {side} is enabled, but the divider in MISC_CFG is not 65"));
        }
        if self.get(mac::MODE) & mac::DMA != mac::DMA {
            env.complain(&format!("the {side} is enabled, but not DMA in MAC_MODE (bits 21 to 23)"));
        }
        if self.part.express.is_some() && !self.part.large && self.get(registers::PCIE) & PCIE_BIT == 0 {
            env.complain(&format!("the {side} is enabled, but bit 25 of 7C00h is clear"));
        }
        if self.tagged() && self.part.tag_fix && self.dma_control & DMA_TAG_FIX == 0 {
            env.complain(&format!("the {side} is enabled with tagged status, but bit 7 of DMA_RW is clear"));
        }
        if self.tagged() && self.part.late && self.get(blocks::WDMA) & WDMA_TAG_FIX == 0 {
            env.complain(&format!("the {side} is enabled with tagged status, but bit 29 of WDMA's mode is clear"));
        }
    }

    /// The receiver is enabled.
    pub(super) fn check_receiver(&mut self, env: &mut dyn Env) {
        self.check_both(env, "receiver");
        if let Some(off) = self.missing(&blocks::TO_RECEIVE) {
            env.complain(&format!("the receiver is enabled while these blocks are off: {off}"));
        }
        let longest = self.get(mac::LONGEST);
        if longest < 1518 {
            env.complain(&format!("the receiver is enabled, and the longest frame (043Ch) is {longest} bytes"));
        }
        for (at, what) in [(registers::MACRX_LOW, "the buffers' water mark"), (RULES, "the rules' configuration"), (LISTS, "the lists' configuration"), (REPLENISH, "the threshold of the standard ring")] {
            if self.get(at) == 0 {
                env.complain(&format!("the receiver is enabled, and {what} ({at:04X}h) is 0"));
            }
        }
        if self.part.large && self.get(REPLENISH_LOW) == 0 {
            env.complain("the receiver is enabled, and the low water mark of the standard ring (2D00h) is 0");
        }
        let station = self.get(registers::STATION) | self.get(registers::STATION + 4);
        if station == 0 {
            env.complain("the receiver is enabled, and the station address is 0");
        }
    }

    /// The transmitter is enabled.
    pub(super) fn check_transmitter(&mut self, env: &mut dyn Env) {
        self.check_both(env, "transmitter");
        if let Some(off) = self.missing(&blocks::TO_SEND) {
            env.complain(&format!("the transmitter is enabled while these blocks are off: {off}"));
        }
        if self.get(mac::TX_LENGTHS) & 0xFFFF != LENGTHS {
            env.complain(&format!("the transmitter is enabled, and its lengths (0464h) are not {LENGTHS:04X}h"));
        }
        if (self.part.late || self.part.vcpu) && self.get(mac::TX_MODE) & LOCK_UP_FIX == 0 {
            env.complain("the transmitter is enabled without the bit against its lock-up (045Ch bit 8)");
        }
    }
}
