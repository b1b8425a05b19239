//! What the chip keeps in the configuration space: its identity, the control of the bus, and the window to registers and SRAM.
//!
//! The first 256 bytes in memory show the same registers.

use super::{Tg3, registers};
use crate::Env;

/// 68h: bits of the swaps of bytes and words.
pub const SWAPS: u32 = 0xC;
pub const WORD_SWAP: u32 = 1 << 3;
const CLEAR_INTERRUPT: u32 = 1;
const MASK_INTERRUPT: u32 = 1 << 1;
const INDIRECT: u32 = 1 << 7;
const TAGGED: u32 = 1 << 9;
/// Registers.
const HOST_CONTROL: u8 = 0x68;
const DMA_CONTROL: u8 = 0x6C;
const PCI_STATE: u8 = 0x70;
const CLOCK: u8 = 0x74;
const REGISTER_BASE: u8 = 0x78;
const MEMORY_BASE: u8 = 0x7C;
const REGISTER_DATA: u8 = 0x80;
const MEMORY_DATA: u8 = 0x84;
const LOCAL: u8 = 0x90;

impl Tg3 {
    /// The interrupt is masked by 68h.
    pub(super) fn masked(&self) -> bool {
        self.host_control & MASK_INTERRUPT != 0
    }

    /// The status block carries a tag.
    pub(super) fn tagged(&self) -> bool {
        self.host_control & TAGGED != 0
    }

    /// The mailbox in memory of one in the configuration space. The 5717 and later have a capability where the send ring's was.
    fn mailbox(&self, at: u8) -> Option<u16> {
        Some(match at {
            0x98 | 0x9C => 0x0268 + at as u16 - 0x98,
            0xA0 | 0xA4 => 0x0280 + at as u16 - 0xA0,
            0xA8 | 0xAC if !self.part.large => 0x0300 + at as u16 - 0xA8,
            _ => return None,
        })
    }

    fn keeps(&self, at: u8) -> bool {
        matches!(at, HOST_CONTROL..=MEMORY_DATA | LOCAL)
            || self.mailbox(at).is_some()
            || self.part.product.is_some_and(|(place, _)| place == at)
    }

    /// A read by a configuration cycle.
    pub(super) fn config_read(&mut self, env: &mut dyn Env, at: u8, width: u8) -> Option<u32> {
        let register = at & !3;
        if !self.keeps(register) {
            return None;
        }
        if !self.config_present(env, register) || !self.config_answers(env, register) {
            return Some(u32::MAX >> (32 - 8 * width));
        }
        if matches!(register, REGISTER_DATA | MEMORY_DATA) && width != 4 {
            env.complain(&format!("a read of {width} bytes at {at:02X}h of the configuration space"));
        }
        let value = self.config_load(env, register) >> (8 * (at & 3));
        Some(value & u32::MAX >> (32 - 8 * width))
    }

    /// A write by a configuration cycle. False: the chip keeps nothing there.
    pub(super) fn config_write(&mut self, env: &mut dyn Env, at: u8, width: u8, value: u32) -> bool {
        let register = at & !3;
        if !self.keeps(register) {
            return false;
        }
        if !self.config_present(env, register) || !self.config_answers(env, register) {
            return true;
        }
        let data = matches!(register, REGISTER_DATA | MEMORY_DATA) || self.mailbox(register).is_some();
        if data && width != 4 {
            env.complain(&format!("a write of {width} bytes at {at:02X}h of the configuration space"));
        }
        let shift = 8 * (at & 3);
        let mask = u32::MAX >> (32 - 8 * width) << shift;
        let kept = if width == 4 { 0 } else { self.config_load(env, register) & !mask };
        self.config_store(env, register, kept | value << shift & mask);
        true
    }

    /// The card is still there. An access through the window counts as one to a register.
    fn config_present(&mut self, env: &mut dyn Env, at: u8) -> bool {
        let through = matches!(at, REGISTER_DATA | MEMORY_DATA) || self.mailbox(at).is_some();
        if through { self.present(env) } else { !self.gone }
    }

    /// The configuration space answers during a reset of the core, but for the registers that lead into the core.
    fn config_answers(&mut self, env: &mut dyn Env, at: u8) -> bool {
        let inner = self.resetting.is_some() && at != HOST_CONTROL;
        if inner {
            env.complain(&format!("{at:02X}h of the configuration space is accessed during a reset of the core"));
        }
        !inner
    }

    /// A register of the configuration space.
    pub(super) fn config_load(&mut self, env: &mut dyn Env, at: u8) -> u32 {
        match at {
            HOST_CONTROL => (self.part.chip as u32) << 16 | self.host_control,
            DMA_CONTROL => self.dma_control,
            // Bit 1: no interrupt. Bit 3: a fast bus. Bit 4: of 32 bits.
            PCI_STATE => (!self.status.asserted as u32) << 1 | 0x18,
            CLOCK => self.clock_control,
            REGISTER_BASE => self.register_base,
            MEMORY_BASE => self.memory_base,
            REGISTER_DATA => match self.register_behind_window(env) {
                Some(register) => self.load_register(env, register),
                None => u32::MAX,
            },
            MEMORY_DATA => match self.window_is_open(env) {
                true => self.load_sram(env, self.memory_base),
                false => u32::MAX,
            },
            LOCAL => self.load_register(env, registers::LOCAL),
            _ => match (self.mailbox(at), self.part.product) {
                (_, Some((place, number))) if place == at => number,
                (Some(register), _) => self.get(register),
                _ => 0,
            },
        }
    }

    /// Writes one.
    pub(super) fn config_store(&mut self, env: &mut dyn Env, at: u8, value: u32) {
        match at {
            HOST_CONTROL => {
                if value & CLEAR_INTERRUPT != 0 {
                    self.status.asserted = false;
                }
                self.host_control = value & 0xFFFE;
                self.drive(env);
            }
            DMA_CONTROL => self.dma_control = value,
            CLOCK => self.clock_control = value,
            REGISTER_BASE => self.register_base = value,
            MEMORY_BASE => self.memory_base = value,
            REGISTER_DATA => {
                if let Some(register) = self.register_behind_window(env) {
                    self.store_register(env, register, value);
                }
            }
            MEMORY_DATA => {
                if self.window_is_open(env) {
                    self.store_sram(env, self.memory_base, value);
                }
            }
            LOCAL => self.store_register(env, registers::LOCAL, value),
            _ => {
                if let Some(register) = self.mailbox(at) {
                    self.store_mailbox(env, register, value);
                }
            }
        }
    }

    fn window_is_open(&mut self, env: &mut dyn Env) -> bool {
        if env.asleep() {
            env.complain("the window of the configuration space is used while the card is not in D0");
            return false;
        }
        let open = self.host_control & INDIRECT != 0;
        if !open {
            env.complain("the window of the configuration space is used, but bit 7 of 68h is clear");
        }
        open
    }

    /// The register that 78h selects.
    fn register_behind_window(&mut self, env: &mut dyn Env) -> Option<u16> {
        if !self.window_is_open(env) {
            return None;
        }
        let at = u16::try_from(self.register_base).ok().filter(|at| *at < 0x8000 && at & 3 == 0);
        match at {
            None => env.complain(&format!("78h selects {:X}h, where no register is", self.register_base)),
            Some(at @ (0x78 | 0x80)) => {
                env.complain(&format!("78h selects {at:02X}h, the window itself"));
                return None;
            }
            Some(at @ 0x200..0x400) => {
                env.complain(&format!("78h selects the mailbox {at:04X}h of high priority, which only memory reaches; the other is at {:04X}h", at + 0x5600));
                return None;
            }
            Some(_) => {}
        }
        at
    }
}
