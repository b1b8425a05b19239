//! Registers behind registers: the PHY by PHYAR or OCP, the MAC's OCP space, extended registers, the PCI Express PHY, and the
//! chip's own configuration space. And the handover of the FIFO from the firmware, which goes by some of them.
//!
//! Each window is a word with a flag in bit 31: a write sets it until it is done, a read clears it until the data are there.

use super::{Rtl8169, cause};
use crate::Env;
use crate::faults;
use std::collections::BTreeMap;

/// Nanoseconds of an access to the PHY, and of the pause that PHYAR needs before the next one.
const PHY: u64 = 60_000;
const PHY_PAUSE: u64 = 19_000;
/// Of an access by OCP, and by the other windows.
const OCP: u64 = 30_000;
const OTHER: u64 = 50_000;
/// Until the FIFO's list is in order.
const RELINK: u64 = 1_200_000;
const FLAG: u32 = 1 << 31;

/// MAC OCP addresses: control of the FIFO's list, format of transmit descriptors, and the 8125's command to order the list.
mod ocp {
    pub const LIST: u16 = 0xE8DE;
    pub const FORMAT: u16 = 0xEB58;
    pub const ORDER: u16 = 0xC01E;
}

/// Bits of the MCU register.
mod mcu {
    pub const FIRMWARE: u8 = 0x80;
    pub const TX_EMPTY: u8 = 0x20;
    pub const RX_EMPTY: u8 = 0x10;
    pub const LIST_READY: u8 = 0x02;
}

/// A window's register.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// What it reads as when the access has ended; until then, with the flag the other way.
    value: u32,
    until: u64,
}

impl Window {
    fn read(&self, now: u64) -> u32 {
        if now < self.until { self.value ^ FLAG } else { self.value }
    }
}

/// All windows, and what is behind them.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    phyar: Window,
    phy_ocp: Window,
    eri: Window,
    ephy: Window,
    csi: Window,
    eri_data: u32,
    csi_data: u32,
    mac_ocp: u32,
    mac: BTreeMap<u16, u16>,
    extended: BTreeMap<u32, u32>,
    express: BTreeMap<u32, u32>,
    config: BTreeMap<u32, u32>,
    /// The FIFO's list is in order from this time on; None: not before the driver takes it over.
    list_at: Option<u64>,
}

impl Windows {
    /// As the firmware leaves them.
    pub fn new(mac: [u8; 6], managed: bool) -> Windows {
        let station = [u32::from_le_bytes([mac[0], mac[1], mac[2], mac[3]]), u32::from_le_bytes([mac[4], mac[5], 0, 0])];
        Windows {
            mac: if managed { BTreeMap::from([(ocp::LIST, 1 << 14)]) } else { BTreeMap::new() },
            extended: BTreeMap::from([(0xE0, station[0]), (0xE4, station[1])]),
            ..Windows::default()
        }
    }

    /// The value of the register at this offset, which is a multiple of four. None: not a window.
    pub fn read(&self, offset: u16, now: u64) -> Option<u32> {
        Some(match offset {
            0x60 => self.phyar.read(now),
            0x64 => self.csi_data,
            0x68 => self.csi.read(now),
            0x70 => self.eri_data,
            0x74 => self.eri.read(now),
            0x80 => self.ephy.read(now),
            0xB0 => self.mac_ocp,
            0xB8 => self.phy_ocp.read(now),
            _ => return None,
        })
    }

    /// Transmit descriptors have 32 bytes.
    pub fn long_descriptors(&self) -> bool {
        self.mac.get(&ocp::FORMAT).is_some_and(|word| word & 1 != 0)
    }

    /// The driver did not order the FIFO's list, or did not wait for it; a list that never gets ready is not the driver's fault.
    pub fn list_missing(&self, now: u64) -> bool {
        self.list_at.is_none_or(|at| at > now && at != u64::MAX)
    }

    /// The FIFO's list is in order.
    pub fn list_ready(&self, now: u64) -> bool {
        self.list_at.is_some_and(|at| at <= now)
    }
}

impl Rtl8169 {
    /// Writes a window's register. False: there is no window at this offset on this chip.
    pub(super) fn write_window(&mut self, env: &mut dyn Env, offset: u16, value: u32) -> bool {
        let now = env.now_ns();
        let busy = [(0x60, self.windows.phyar), (0x68, self.windows.csi), (0x74, self.windows.eri), (0x80, self.windows.ephy), (0xB8, self.windows.phy_ocp)];
        let pause = if offset == 0x60 { PHY_PAUSE } else { 0 };
        if let Some((_, window)) = busy.iter().find(|(at, window)| *at == offset && window.until > 0 && now < window.until.saturating_add(pause)) {
            let what = if now < window.until { "while the last access is in progress" } else { "less than 20 us after the last access" };
            env.complain(&format!("{value:08X} written at {offset:02X}h {what}"));
        }
        let express = self.part.generation != super::Generation::Pci;
        match offset {
            0x60 if !self.part.managed() => self.phy_access(env, value),
            0x64 if express => self.windows.csi_data = value,
            0x68 if express => {
                let at = value & 0xFFC;
                if value & FLAG != 0 {
                    store(&mut self.windows.config, at, value >> 12 & 15, self.windows.csi_data);
                } else {
                    self.windows.csi_data = self.windows.config.get(&at).copied().unwrap_or(0);
                }
                self.windows.csi = Window { value: value ^ FLAG, until: now + OTHER };
            }
            0x70 if self.part.extended() => self.windows.eri_data = value,
            0x74 if self.part.extended() => {
                let at = value & 0x3_0FFC;
                if value & FLAG != 0 {
                    store(&mut self.windows.extended, at, value >> 12 & 15, self.windows.eri_data);
                } else {
                    self.windows.eri_data = self.windows.extended.get(&at).copied().unwrap_or(0);
                }
                self.windows.eri = Window { value: value ^ FLAG, until: now + OTHER };
            }
            0x80 if express => {
                let at = value >> 16 & 0x1F;
                let mut word = value & 0xFFFF;
                if value & FLAG != 0 {
                    self.windows.express.insert(at, word);
                } else {
                    word = self.windows.express.get(&at).copied().unwrap_or(0);
                }
                self.windows.ephy = Window { value: (value ^ FLAG) & 0xFFFF_0000 | word, until: now + OTHER };
            }
            0xB0 if self.part.managed() => self.mac_access(env, value),
            0xB8 if self.part.managed() => {
                let at = (value >> 15) as u16 & 0xFFFE;
                let word = if value & FLAG != 0 {
                    if self.phy.write(at, value as u16, now) {
                        self.raise(env, cause::LINK);
                    }
                    value as u16
                } else {
                    self.phy.read(at)
                };
                let until = if self.faults.strikes(faults::Kind::StuckPhy) { u64::MAX } else { now + OCP };
                self.windows.phy_ocp = Window { value: (value ^ FLAG) & 0xFFFF_0000 | word as u32, until };
            }
            _ => return false,
        }
        true
    }

    /// PHYAR.
    fn phy_access(&mut self, env: &mut dyn Env, value: u32) {
        let now = env.now_ns();
        let register = (value >> 16 & 0x1F) as u16;
        let word = if value & FLAG != 0 {
            if self.phy.write_paged(register, value as u16, now) {
                self.raise(env, cause::LINK);
            }
            value as u16
        } else {
            self.phy.read_paged(register)
        };
        let until = if self.faults.strikes(faults::Kind::StuckPhy) { u64::MAX } else { now + PHY };
        self.windows.phyar = Window { value: (value ^ FLAG) & 0xFFFF_0000 | word as u32, until };
    }

    /// The MAC's OCP space, which answers at once.
    fn mac_access(&mut self, env: &mut dyn Env, value: u32) {
        let now = env.now_ns();
        let at = (value >> 15) as u16 & 0xFFFE;
        if value & FLAG == 0 {
            let word = self.windows.mac.get(&at).copied().unwrap_or(0);
            self.windows.mac_ocp = value & 0xFFFF_0000 | word as u32;
            return;
        }
        let before = self.windows.mac.insert(at, value as u16).unwrap_or(0);
        let changed = before ^ value as u16;
        let order = at == ocp::LIST && (changed & before & 1 << 14 != 0 || changed & !before & 1 << 15 != 0) || at == ocp::ORDER && self.part.fourth();
        if !order {
            return;
        }
        if self.command & super::command::RX != 0 && !self.gated() {
            env.complain("the FIFO's list is put in order while frames come in");
        }
        // While the FIFO is the firmware's, the list never gets ready.
        let stuck = self.faults.strikes(faults::Kind::StuckFifo);
        self.windows.list_at = (!self.managed()).then_some(if stuck { u64::MAX } else { now + RELINK });
    }

    /// The MCU register.
    pub(super) fn mcu(&self, now: u64) -> u8 {
        let bits = [(self.tx.empty(), mcu::TX_EMPTY), (self.rx.empty(), mcu::RX_EMPTY), (self.windows.list_ready(now), mcu::LIST_READY)];
        bits.into_iter().filter(|(on, _)| *on).fold(self.file[0xD3] & 0xCD, |byte, (_, bit)| byte | bit)
    }

    /// The firmware owns the FIFO.
    pub(super) fn managed(&self) -> bool {
        self.part.managed() && self.file[0xD3] & mcu::FIRMWARE != 0
    }

    /// The gate before the receiver is closed.
    pub(super) fn gated(&self) -> bool {
        self.part.managed() && self.file[0xF2] & 1 << 3 != 0
    }

    /// State of gate and FIFO after power-on.
    pub(super) fn hand_to_firmware(&mut self) {
        if self.part.managed() {
            self.file[0xD3] = mcu::FIRMWARE;
            self.file[0xF2] = 1 << 3;
        }
    }
}

/// Writes the bytes that a mask names.
fn store(space: &mut BTreeMap<u32, u32>, at: u32, mask: u32, value: u32) {
    let wide = (0..4).filter(|byte| mask >> byte & 1 != 0).fold(0u32, |wide, byte| wide | 0xFF << (8 * byte));
    let word = space.entry(at).or_default();
    *word = *word & !wide | value & wide;
}
