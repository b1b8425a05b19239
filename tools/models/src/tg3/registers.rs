//! The registers in memory: which there are, and what an access does.

use super::nvram::Nvram;
use super::{Tg3, blocks, mac, status, tally, window};
use crate::Env;
use crate::faults;

/// Buffer manager's water mark that a receiver needs.
pub const MACRX_LOW: u16 = 0x4414;
/// Write DMA's status.
pub const WDMA_STATUS: u16 = 0x4C04;
/// The 5906's status.
pub const VCPU: u16 = 0x5100;
/// Reset of the queues.
const QUEUES: u16 = 0x5C00;
/// General modes, and their bits: swaps of words outside frames, of bytes and words of frames; the host's stack is up, the host
/// has the send descriptors; an interrupt at the MAC's attention.
pub const MODE: u16 = 0x6800;
pub const SWAPS: u32 = 0x36;
pub const SWAPS_OF_PC: u32 = 0x34;
pub const STACK_UP: u32 = 1 << 16;
pub const HOST_SENDS: u32 = 1 << 17;
pub const MAC_ATTENTION: u32 = 1 << 26;
/// Configuration, and its bits.
pub const MISC: u16 = 0x6804;
const CORE_RESET: u32 = 1;
pub const KEEP_PHY: u32 = 1 << 26;
pub const NO_RETRAIN: u32 = 1 << 29;
/// Local control, and its bits: clear and set the interrupt.
pub const LOCAL: u16 = 0x6808;
const CLEAR_INTERRUPT: u32 = 1 << 1;
const SET_INTERRUPT: u32 = 1 << 2;
/// Where the boot code starts.
pub const FASTBOOT: u16 = 0x6894;
/// PCI Express: a bit that a driver sets, and a test register of its physical side.
pub const PCIE: u16 = 0x7C00;
pub const PHY_TEST: u16 = 0x7E2C;
/// The station address; four of them.
pub const STATION: u16 = 0x0410;
/// The window into SRAM.
const SRAM: u16 = 0x8000;
/// Mailboxes of high and of low priority, and the distance of the two.
const MAILBOXES: u16 = 0x0200;
const LOW_MAILBOXES: u16 = 0x5800;
const DISTANCE: u16 = LOW_MAILBOXES - MAILBOXES;

/// First and last register of each group that there is.
const KNOWN: [(u16, u16); 47] = [
    (0x0110, 0x0110), (0x0400, 0x04FC), (0x0500, 0x0504), (0x0508, 0x05C0), (0x0600, 0x06A0), (0x0800, 0x08BC), (0x0C00, 0x0CE0), (0x0C00, 0x0C20),
    (0x1000, 0x1008), (0x1400, 0x147C), (0x1800, 0x1844), (0x1C00, 0x1C00), (0x2000, 0x201C), (0x2100, 0x2258), (0x2400, 0x2408),
    (0x2440, 0x24C0), (0x2800, 0x2800), (0x2C00, 0x2C1C), (0x2D00, 0x2D04), (0x3000, 0x3010), (0x3440, 0x344C), (0x3600, 0x36F0), (0x3C00, 0x3C28),
    (0x3C30, 0x3C48), (0x3C50, 0x3C58), (0x3C80, 0x3CFC), (0x3D00, 0x3DFC), (0x4000, 0x400C), (0x4400, 0x4454), (0x4800, 0x4804),
    (0x4900, 0x4914), (0x4BE0, 0x4BF0), (0x4C00, 0x4C04), (0x5000, 0x503C), (0x5100, 0x5104), (0x5400, 0x543C), (0x5C00, 0x5CFC),
    (0x6000, 0x600C), (0x6400, 0x6404), (0x6800, 0x6848), (0x6890, 0x6894), (0x68A4, 0x68B8), (0x6900, 0x6928), (0x7500, 0x7514), (0x7C00, 0x7C20),
    (0x7D00, 0x7D60), (0x7E2C, 0x7E70),
];

impl Tg3 {
    /// Whether the width and the place of an access are those of a register.
    pub(super) fn whole(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> bool {
        let whole = width == 4 && offset & 3 == 0;
        if !whole {
            env.complain(&format!("an access of {width} bytes at {offset:04X}h; registers have four"));
        }
        whole
    }

    /// Whether registers answer now, and in the order of bytes that a driver for PCs expects.
    pub(super) fn answers(&mut self, env: &mut dyn Env, offset: u16) -> bool {
        if let Some(until) = self.resetting {
            // That a reset never ends, a driver finds out only by an access.
            if until != u64::MAX {
                env.complain(&format!("register {offset:04X}h is accessed during a reset of the core"));
            }
            return false;
        }
        if self.host_control & window::SWAPS != window::WORD_SWAP {
            env.complain(&format!("register {offset:04X}h is accessed in memory, but 68h does not have just the swap of words"));
        }
        true
    }

    /// A read in memory.
    pub(super) fn load(&mut self, env: &mut dyn Env, at: u16) -> u32 {
        match at {
            SRAM.. => self.load_sram(env, (self.memory_base & !0x7FFF) + (at - SRAM) as u32),
            MAILBOXES..0x400 if self.part.vcpu => {
                env.complain(&format!("mailbox {at:04X}h is read; a 5906 has its mailboxes at {LOW_MAILBOXES:04X}h"));
                u32::MAX
            }
            _ => self.load_register(env, at),
        }
    }

    /// A write in memory.
    pub(super) fn store(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        match at {
            SRAM.. => self.store_sram(env, (self.memory_base & !0x7FFF) + (at - SRAM) as u32, value),
            MAILBOXES..0x400 if self.part.vcpu => {
                env.complain(&format!("mailbox {at:04X}h is written; a 5906 has its mailboxes at {LOW_MAILBOXES:04X}h"));
            }
            _ => self.store_register(env, at, value),
        }
    }

    /// A register by its number, in memory or through the window.
    pub(super) fn load_register(&mut self, env: &mut dyn Env, at: u16) -> u32 {
        match at {
            0..0x100 => return self.config_load(env, at as u8),
            MAILBOXES..0x400 => return self.get(at),
            LOW_MAILBOXES..0x5A00 => return self.get(at - DISTANCE),
            _ => {}
        }
        if Nvram::has(at) {
            return self.nvram.read(at).unwrap_or_else(|wrong| {
                env.complain(&wrong);
                u32::MAX
            });
        }
        if !KNOWN.iter().any(|(first, last)| (*first..=*last).contains(&at)) {
            env.complain(&format!("register {at:04X}h is read; there is none that is known"));
        }
        match at {
            mac::STATUS..=mac::TX_STATUS => self.load_mac(at),
            0x0800..=0x08BC | tally::NO_BUFFER..=tally::ERRORS => self.tally.read(at),
            blocks::HCC..0x4000 => self.load_coalescing(env, at),
            0x2474 => self.rx.std_consumer(),
            LOCAL => self.get(LOCAL) & !0x7 | self.status.asserted as u32,
            MISC => self.get(MISC) | self.part.board,
            0x3660 => self.get(0x365C),
            _ => self.get(at),
        }
    }

    /// The same for a write.
    pub(super) fn store_register(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        match at {
            0..0x100 => return self.config_store(env, at as u8, value),
            MAILBOXES..0x400 => return self.store_mailbox(env, at, value),
            LOW_MAILBOXES..0x5A00 => return self.store_mailbox(env, at - DISTANCE, value),
            _ => {}
        }
        if Nvram::has(at) {
            if at == 0x7020 && value & 2 != 0 && self.faults.strikes(faults::Kind::StuckNvram) {
                self.nvram.stick();
            }
            if let Err(wrong) = self.nvram.write(at, value, env.now_ns()) {
                env.complain(&wrong);
            }
            return;
        }
        if !KNOWN.iter().any(|(first, last)| (*first..=*last).contains(&at)) {
            env.complain(&format!("register {at:04X}h is written with {value:08X}; there is none that is known"));
        }
        if let Some(block) = blocks::owner(at)
            && self.get(block) & blocks::RESET != 0
        {
            env.complain(&format!("register {at:04X}h is written while its block {} is in reset", blocks::name(block)));
            return;
        }
        self.check_store(env, at, value);
        match at {
            mac::MODE..=mac::HASH_END => self.store_mac(env, at, value),
            status::MODE => self.store_coalescing_mode(env, value),
            blocks::BMAN => self.store_buffer_manager(env, value),
            WDMA_STATUS => self.set(at, self.get(at) & !value),
            QUEUES => {
                self.set(at, value);
                if value == u32::MAX {
                    self.tx.flush();
                    self.rx.flush();
                }
            }
            MISC if value & CORE_RESET != 0 => self.core_reset(env, value),
            LOCAL => {
                self.set(at, value & !0x7);
                if value & CLEAR_INTERRUPT != 0 {
                    self.status.asserted = false;
                }
                if value & SET_INTERRUPT != 0 {
                    self.assert_line();
                }
                self.drive(env);
            }
            _ => self.set(at, value),
        }
    }

    /// The buffer manager is ready some time after it is enabled.
    fn store_buffer_manager(&mut self, env: &mut dyn Env, value: u32) {
        const TIME: u64 = 40_000;
        let was = self.on(blocks::BMAN);
        self.set(blocks::BMAN, if was { value } else { value & !blocks::ENABLE });
        self.buffers_at = None;
        if value & blocks::ENABLE != 0 && !was {
            let stuck = self.faults.strikes(faults::Kind::StuckBuffers);
            self.buffers_at = (!stuck).then(|| env.now_ns() + TIME);
        }
    }

    /// A register of the second processor: locks are granted when they are asked for.
    pub(super) fn read_ape(&self, at: u16) -> u32 {
        const GRANT: std::ops::Range<u16> = 0x8420..0x8440;
        let at = if GRANT.contains(&at) { at - 0x20 } else { at };
        self.ape.get(&at).copied().unwrap_or(0)
    }

    /// The same for a write. To a grant: the lock is given back.
    pub(super) fn write_ape(&mut self, at: u16, value: u32) {
        const GRANT: std::ops::Range<u16> = 0x8420..0x8440;
        if GRANT.contains(&at) {
            let held = self.read_ape(at);
            self.ape.insert(at - 0x20, held & !value);
        } else {
            self.ape.insert(at, value);
        }
    }
}
