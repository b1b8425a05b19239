//! The MAC's registers: what they read as, and what a write does.

use super::part::{FLASH, INNER_FLASH, PORTS};
use super::tally::Tally;
use super::{Generation, Pch, cause, control};
use crate::Env;

/// Registers that keep what is written, as far as drivers know them: first and last offset of each group.
const KEPT: [(u16, u16); 44] = [
    (0x10, 0x14),
    (0x24, 0x30),
    (0x38, 0x3C),
    (0xC4, 0xC4),
    (0xDC, 0xFC),
    (0x170, 0x180),
    (0x404, 0x410),
    (0x458, 0x458),
    (0xE00, 0xE00),
    (0xF08, 0xF10),
    (0xF18, 0xF18),
    (0xF28, 0xF28),
    (0xFAC, 0xFAC),
    (0x1000, 0x1000),
    (0x1008, 0x1010),
    (0x1100, 0x1100),
    (0x2008, 0x2008),
    (0x2160, 0x2170),
    (0x2410, 0x2430),
    (0x2820, 0x282C),
    (0x2900, 0x292C),
    (0x2C00, 0x2C08),
    (0x3004, 0x3004),
    (0x3410, 0x3430),
    (0x3820, 0x3840),
    (0x3900, 0x3940),
    (0x5000, 0x5004),
    (0x5600, 0x57FC),
    (0x5800, 0x5820),
    (0x5838, 0x58FC),
    (0x5A00, 0x5AFC),
    (0x5B00, 0x5B00),
    (0x5B30, 0x5B30),
    (0x5B58, 0x5B64),
    (0x5BB0, 0x5BC0),
    (0x5C00, 0x5CFC),
    (0x5F00, 0x5F04),
    (0x5F40, 0x5F40),
    (0x5F50, 0x5F8C),
    (0x8800, 0x8EFC),
    (0x8F00, 0x8F00),
    (0xB600, 0xB60C),
    (0xB614, 0xB638),
    (0xB640, 0xB64C),
];
/// FEXTNVM11: bit 13 lets the I219 let go of descriptors.
const DRAIN: (u16, u32) = (0x5BBC, 1 << 13);

/// Bits of STATUS.
mod status {
    pub const FULL_DUPLEX: u32 = 1;
    pub const LINK: u32 = 1 << 1;
    pub const INITIALISED: u32 = 1 << 9;
    pub const PHY_WAS_RESET: u32 = 1 << 10;
    pub const MASTER: u32 = 1 << 19;
}

/// What a reset leaves in registers that keep what is written.
pub fn defaults(generation: Generation) -> impl Iterator<Item = (u16, u32)> {
    let first = generation == Generation::Pch;
    let list = [
        // The driver configures the PHY.
        (0x28, 1 << 27),
        (0x3C, 0x0400_0000),
        // LEDs; less power when the machine is off.
        (0xE00, 0x0000_7832),
        (0xF10, if first { 0x0008 } else { 0x000C }),
        // 26 KB for what is received.
        (0x1000, 0x000E_001A),
        (0x410, 0x0060_2006),
        // A clock of 25 MHz, its counter stands.
        (0xB620, 0),
    ];
    list.into_iter()
}

impl Pch {
    /// A register that keeps what is written.
    pub(super) fn kept(&self, at: u16) -> u32 {
        self.file.get(&at).copied().unwrap_or(0)
    }

    /// The I219 lets go of descriptors.
    pub(super) fn drains(&self) -> bool {
        self.kept(DRAIN.0) & DRAIN.1 != 0
    }

    /// STATUS.
    fn status(&self) -> u32 {
        let mut word = status::FULL_DUPLEX;
        if self.link_up() {
            word |= status::LINK;
        }
        word |= match self.phy.speed() {
            1000 => 0x80,
            100 => 0x40,
            _ => 0,
        };
        let flags = [
            (self.initialised, status::INITIALISED),
            (self.phy_was_reset, status::PHY_WAS_RESET),
            (self.ctrl & control::MASTER_OFF == 0, status::MASTER),
        ];
        flags.into_iter().filter(|(on, _)| *on).fold(word, |word, (_, bit)| word | bit)
    }

    /// The receive addresses' index, and whether it is the high half.
    fn address(&self, at: u16) -> Option<(usize, bool)> {
        let (first, count) = self.part.shared();
        let high = at & 4 != 0;
        let index = match at {
            0x5400 | 0x5404 => 0,
            _ if at >= first && at < first + 8 * count as u16 => 1 + (at - first) as usize / 8,
            _ => return None,
        };
        Some((index, high))
    }

    /// Reads a register of 32 bits.
    pub(super) fn load(&mut self, env: &mut dyn Env, at: u16) -> u32 {
        let now = env.now_ns();
        if let Some((index, high)) = self.address(at) {
            let (low_half, high_half) = self.addresses[index];
            return if high { high_half } else { low_half };
        }
        match at {
            0x00 => self.ctrl,
            0x08 => self.status(),
            // Strapping: 8 KB of flash, SMBus at 100 kHz, its address.
            0x0C => 2 | 1 << 12 | 0x64 << 17,
            0x18 => self.ctrl_ext | if self.power_cycled { control::POWER_CYCLED } else { 0 },
            0x20 => self.mdio.read(now),
            // The cable is out.
            0x2C => self.kept(at) & !4 | (!self.phy.cable() as u32) << 2,
            0x34 => self.mdio.link(),
            0xC0 => self.read_causes(env),
            0xC8 => 0,
            0xD0 => self.ims,
            0xD8 => 0,
            0x100 => self.rx.control,
            0x400 => self.tx.control,
            0xF00 => self.me.extended(),
            0x2800 | 0x2804 | 0x2808 | 0x2810 | 0x2818 => self.rx.ring.read(at - 0x2800),
            0x3800 | 0x3804 | 0x3808 | 0x3810 | 0x3818 => self.tx.ring.read(at - 0x3800),
            0x5008 => self.rx.filter,
            0x5200..0x5280 => self.table[(at - 0x5200) as usize / 4],
            // Of the 82579 the engine has these.
            0x5408..0x5438 => 0,
            0x5B50 => self.me.host(),
            0x5B54 => self.me.status(now),
            0xB600 => (now / 8) as u32,
            0xB604 => ((now / 8) >> 32) as u32,
            _ if Tally::has(at) => self.tally.take(at),
            _ if KEPT.iter().any(|(first, last)| (*first..=*last).contains(&at)) => self.kept(at),
            _ => {
                env.complain(&format!("read at {at:04X}h, where no register is known"));
                0
            }
        }
    }

    /// Writes a register of 32 bits.
    pub(super) fn store(&mut self, env: &mut dyn Env, at: u16, value: u32) {
        let now = env.now_ns();
        if let Some((index, high)) = self.address(at) {
            return self.write_address(env, index, high, value);
        }
        match at {
            0x00 => self.write_ctrl(env, value),
            0x08 => {
                self.initialised &= value & status::INITIALISED != 0;
                self.phy_was_reset &= value & status::PHY_WAS_RESET != 0;
            }
            0x18 => self.ctrl_ext = value & !control::POWER_CYCLED,
            0x20 => self.access_phy(env, value),
            0x34 => self.access_link(env, value),
            0xC0 => self.icr &= !value,
            0xC8 => self.raise(env, value & cause::ALL),
            0xD0 => self.ims |= value & cause::ALL,
            0xD8 => self.ims &= !value,
            0x100 => self.write_rctl(env, value),
            0x400 => self.write_tctl(env, value),
            0xF00 => self.write_extended(now, value),
            0x2800 | 0x2804 | 0x2808 | 0x2810 | 0x2818 => self.write_rx_ring(env, at - 0x2800, value),
            0x3800 | 0x3804 | 0x3808 | 0x3810 | 0x3818 => self.write_tx_ring(env, at - 0x3800, value),
            0x5008 => self.rx.filter = value,
            0x5200..0x5280 => self.table[(at - 0x5200) as usize / 4] = value,
            0x5B50 => self.write_host(now, value),
            0x5BBC if self.part.generation < Generation::Spt => env.complain("FEXTNVM11 on a part that does not have it"),
            0x0C | 0x5B54 => env.complain(&format!("{value:08X} written at {at:04X}h, which is read only")),
            // Linux clears these, too; they stay as the engine has set them.
            0x5408..0x5438 if value == 0 => {}
            0x5408..0x5438 => env.complain(&format!("{value:08X} written at {at:04X}h, a receive address of the management engine")),
            _ if KEPT.iter().any(|(first, last)| (*first..=*last).contains(&at)) => drop(self.file.insert(at, value)),
            _ => env.complain(&format!("{value:08X} written at {at:04X}h, where no register is known")),
        }
    }

    /// A receive address. Linux clears the shared ones without the semaphore.
    fn write_address(&mut self, env: &mut dyn Env, index: usize, high: bool, value: u32) {
        if index > 0 && self.part.generation != Generation::Pch {
            if value != 0 && !self.me.owned() {
                env.complain(&format!("shared receive address {index} written without the semaphore"));
            }
            if index > self.me.unlocked() {
                return;
            }
        }
        let entry = &mut self.addresses[index];
        if high {
            entry.1 = value & 0x8007_FFFF;
        } else {
            entry.0 = value;
        }
    }

    /// Reads a register of any width from the model's offset.
    pub(super) fn read_any(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        let within = offset & 3;
        let shifted = |word: u32| word >> (8 * within) & u32::MAX >> (32 - 8 * width);
        match offset {
            PORTS.. => self.read_port(env, offset - PORTS, width),
            FLASH..PORTS => shifted(self.flash.read(env, (offset - FLASH) & !3)),
            INNER_FLASH..FLASH if self.part.whole() => shifted(self.flash.read(env, (offset - INNER_FLASH) & !3)),
            _ if width != 4 || within != 0 => {
                env.complain(&format!("{width} bytes read at {offset:04X}h"));
                shifted(self.load(env, offset & !3))
            }
            _ => self.load(env, offset),
        }
    }

    /// Writes a register of any width.
    pub(super) fn write_any(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        let within = offset & 3;
        let mask = (u32::MAX >> (32 - 8 * width)) << (8 * within);
        match offset {
            PORTS.. => self.write_port(env, offset - PORTS, width, value),
            FLASH..PORTS => self.flash.write(env, (offset - FLASH) & !3, value << (8 * within), mask),
            INNER_FLASH..FLASH if self.part.whole() && width == 4 => self.flash.write(env, offset - INNER_FLASH, value, mask),
            _ if width != 4 || within != 0 => env.complain(&format!("{width} bytes written at {offset:04X}h")),
            _ => self.store(env, offset, value),
        }
    }

    /// The window of ports: an address, and the data behind it.
    fn read_port(&mut self, env: &mut dyn Env, at: u16, width: u8) -> u32 {
        match (at, width) {
            (0, 4) => self.port_address,
            (4, 4) if self.port_address < INNER_FLASH.into() => self.load(env, self.port_address as u16),
            _ => {
                env.complain(&format!("{width} bytes read at port {at:02X}h"));
                u32::MAX
            }
        }
    }

    fn write_port(&mut self, env: &mut dyn Env, at: u16, width: u8, value: u32) {
        match (at, width) {
            (0, 4) => {
                if value & 3 != 0 || value >= INNER_FLASH.into() {
                    env.complain(&format!("{value:08X} written to IOADDR"));
                }
                self.port_address = value & !3;
            }
            (4, 4) if self.port_address < INNER_FLASH.into() => self.store(env, self.port_address as u16, value),
            _ => env.complain(&format!("{width} bytes written at port {at:02X}h")),
        }
    }
}
