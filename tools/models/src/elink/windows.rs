//! The registers that all generations share, by windows. Window 0, and registers of the bus, are the wrapper's.

use super::{Chip, Kind};
use crate::Env;

/// The access is to no register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undefined;

impl Chip {
    /// Status (0Eh), by word or by byte.
    pub(crate) fn read_status(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        let status = self.status(env.now_ns()) as u32;
        match (offset, width) {
            (0xE, 2) => Ok(status),
            (0xE, 1) => Ok(status & 0xFF),
            (0xF, 1) => Ok(status >> 8),
            _ => Err(Undefined),
        }
    }

    /// Window 1, at its offsets on the 3C509B.
    pub(crate) fn read_operating(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        let (now, byte) = (env.now_ns(), self.times.byte);
        let rx_status = if now < self.busy_until { 0x8000 } else { self.rx.status(now, byte) } as u32;
        Ok(match (offset, width) {
            (0..=3, _) if offset + width as u16 <= 4 => self.rx_read(env, width),
            (8, 2) => rx_status,
            (8, 1) => rx_status & 0xFF,
            (9, 1) => rx_status >> 8,
            (0xA, 1) => self.timer(now) as u32,
            (0xB, 1) => self.tx.status() as u32,
            (0xA, 2) => self.timer(now) as u32 | (self.tx.status() as u32) << 8,
            // Rounded down to a multiple of four.
            (0xC, 2) => self.tx.free() as u32 & !3,
            _ => return Err(Undefined),
        })
    }

    /// Writes window 1.
    pub(crate) fn write_operating(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Result<(), Undefined> {
        match (offset, width) {
            (0..=3, _) if offset + width as u16 <= 4 => {
                let bytes = value.to_le_bytes();
                self.tx_write(env, &bytes[..width as usize]);
            }
            (0xB, 1) => self.tx.pop_status(),
            (0xA, 2) => self.tx.pop_status(),
            _ => return Err(Undefined),
        }
        Ok(())
    }

    /// Windows 2 to 6: the registers that all chips have.
    pub(crate) fn read_window(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> Result<u32, Undefined> {
        Ok(match (self.window, offset, width) {
            (2, _, _) if (offset + width as u16) as usize <= self.addresses() => {
                let lanes = (0..width as usize).map(|lane| (self.station[offset as usize + lane] as u32) << (8 * lane));
                lanes.sum()
            }
            (3, 0, 4) => self.config,
            (3, 0, 2) => self.config & 0xFFFF,
            (3, 2, 2) => self.config >> 16,
            (3, 0xA, 2) => self.rx.free() as u32,
            (3, 0xC, 2) => self.tx.free() as u32,
            (4, 4, 2) => {
                let receiving = !self.rx.wire_free(env.now_ns(), self.times.byte);
                (receiving as u32) << 15
                    | (self.rx.underrun as u32) << 13
                    | (self.rx.overrun as u32) << 11
                    | (self.tx.overrun as u32) << 10
            }
            (4, 6, 2) => self.read_net_diagnostic() as u32,
            // The low byte holds the chip's revision.
            (4, 6, 1) => self.read_net_diagnostic() as u32 & 0xFF,
            (4, 7, 1) => self.read_net_diagnostic() as u32 >> 8,
            (4, 0xA, 2) => self.read_media() as u32,
            (4, 0xA, 1) => self.read_media() as u32 & 0xFF,
            (4, 0xB, 1) => self.read_media() as u32 >> 8,
            (5, 0, 2) => self.tx.start_threshold as u32,
            (5, 2, 2) => self.tx.available_threshold as u32,
            (5, 6, 2) => self.rx.early_threshold as u32,
            (5, 8, 2) | (5, 8, 1) => self.rx.filter as u32,
            (5, 0xA, 2) => self.int_mask as u32,
            (5, 0xC, 2) => self.read_zero as u32,
            (6, 0..=8, 1) => {
                self.check_statistics_stopped(env);
                self.stats.read8(offset).ok_or(Undefined)? as u32
            }
            (6, _, 2) => {
                self.check_statistics_stopped(env);
                match self.stats.read16(offset) {
                    Some(word) => word as u32,
                    None => {
                        let low = self.stats.read8(offset).ok_or(Undefined)? as u32;
                        low | (self.stats.read8(offset + 1).ok_or(Undefined)? as u32) << 8
                    }
                }
            }
            _ => return Err(Undefined),
        })
    }

    fn check_statistics_stopped(&self, env: &mut dyn Env) {
        if self.kind == Kind::El3 && self.stats.enabled {
            env.complain("statistics read while they count");
        }
    }

    /// Bytes of address and mask in window 2.
    fn addresses(&self) -> usize {
        if self.kind.wide() { 12 } else { 6 }
    }

    fn read_net_diagnostic(&self) -> u16 {
        // Bits 5:1: the revision of the chip, 2 for the 3C509B.
        self.net_diagnostic & 0xF040
            | (self.tx.enabled as u16) << 11
            | (self.rx.enabled as u16) << 10
            | (!self.tx.idle() as u16) << 9
            | (self.tx.reset_required as u16) << 8
            | (self.stats.enabled as u16) << 7
            | 2 << 1
    }

    pub(crate) fn read_media(&self) -> u16 {
        // A PHY in the chip sees the link without being enabled.
        let beat = self.link_up() && (self.media & 0x80 != 0 || self.phy.is_some());
        self.media | if beat { 0x800 } else { 0 }
    }

    /// Writes windows 2 to 6.
    pub(crate) fn write_window(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) -> Result<(), Undefined> {
        match (self.window, offset, width) {
            (2, _, _) if (offset + width as u16) as usize <= self.addresses() => {
                for lane in 0..width as usize {
                    self.station[offset as usize + lane] = (value >> (8 * lane)) as u8;
                }
            }
            (3, 0, 4) => self.set_config(env, value),
            (3, 0, 2) => self.set_config(env, self.config & 0xFFFF_0000 | value),
            (3, 2, 2) => self.set_config(env, self.config & 0xFFFF | value << 16),
            (4, 6, 2) => self.net_diagnostic = value as u16 & 0xF040,
            (4, 0xA, 2) => self.media = value as u16 & 0x01CC,
            _ => return Err(Undefined),
        }
        self.update(env);
        Ok(())
    }

    fn set_config(&mut self, env: &mut dyn Env, value: u32) {
        let split = 0x3_0007;
        if (self.config ^ value) & split != 0 && (self.tx.enabled || self.rx.enabled) {
            env.complain("the RAM was divided anew while in use");
        }
        self.config = value;
        self.configure();
    }
}
