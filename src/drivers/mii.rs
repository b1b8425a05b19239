//! Registers of a PHY (IEEE 802.3, clause 22), and access to them bit by bit (clause 22.2.4.5), by the register that the 3C905 and its
//! relatives have in window 4.
#![allow(missing_docs, reason = "bits have the standard's names and stand under their register")]

use crate::bus::Bus;
use crate::device::Link;

/// The register with the wires to the PHY (window 4).
pub const PHYSICAL: u16 = 0x08;
const   CLOCK: u16 = 1 << 0;
const   DATA: u16 = 1 << 1;
const   OUTPUT: u16 = 1 << 2;

/// Basic control.
pub const BMCR: u8 = 0;
pub const   BMCR_100: u16 = 1 << 13;
pub const   BMCR_NEGOTIATE: u16 = 1 << 12;
/// Power down and isolate.
pub const   BMCR_OFF: u16 = 1 << 11 | 1 << 10;
/// Begin the negotiation again.
pub const   BMCR_RESTART: u16 = 1 << 9;
pub const   BMCR_FULL: u16 = 1 << 8;
/// Basic status. A lost link is shown until the register is read.
pub const BMSR: u8 = 1;
/// The negotiation is complete.
pub const   BMSR_COMPLETE: u16 = 1 << 5;
pub const   BMSR_LINK: u16 = 1 << 2;
/// What the PHY offers in the negotiation.
pub const ANAR: u8 = 4;
/// What its partner offers. The bits are the same.
pub const ANLPAR: u8 = 5;
const   ABILITY_100_T4: u16 = 1 << 9;
pub const   ABILITY_100_FULL: u16 = 1 << 8;
pub const   ABILITY_100: u16 = 1 << 7;
pub const   ABILITY_10_FULL: u16 = 1 << 6;
pub const   ABILITY_10: u16 = 1 << 5;

/// Megabits a second at which a PHY with a link works, by [`BMCR`], [`ANAR`] and [`ANLPAR`]; 0: they do not say.
pub fn speed(control: u16, own: u16, partner: u16) -> u16 {
    let both = own & partner;
    match control & BMCR_NEGOTIATE {
        0 if control & BMCR_100 != 0 => 100,
        0 => 10,
        _ if both & (ABILITY_100_T4 | ABILITY_100_FULL | ABILITY_100) != 0 => 100,
        _ if both & (ABILITY_10_FULL | ABILITY_10) != 0 => 10,
        _ => 0,
    }
}

/// Start and read opcode; five bits of PHY address and five of register number follow.
const READ: u16 = 6;

/// The wires to a PHY. Window 4 must be selected.
pub struct Mii<'a, B> {
    /// The bus.
    pub bus: &'a B,
    /// The port of [`PHYSICAL`].
    pub port: u16,
}

impl<B: Bus> Mii<'_, B> {
    /// One clock cycle with these wires; returns the PHY's bit before it.
    #[inline(never)]
    fn clock(&self, wires: u16) -> u16 {
        self.bus.out16(self.port, wires);
        // A read also makes the pause that the PHY needs between edges.
        let read = self.bus.in16(self.port) & DATA;
        self.bus.out16(self.port, wires | CLOCK);
        self.bus.in16(self.port);
        read
    }

    /// Sends the upper `count` bits of 16.
    #[inline(never)]
    pub fn send(&self, mut bits: u16, count: u8) {
        for _ in 0..count {
            self.clock(OUTPUT | bits >> 14 & DATA);
            bits <<= 1;
        }
    }

    /// Sends the 32 ones with which every access begins.
    #[inline(always)]
    pub fn preamble(&self) {
        self.send(u16::MAX, 16);
        self.send(u16::MAX, 16);
    }

    /// Reads a register; all ones when no PHY answers.
    #[inline(never)]
    pub fn read(&self, phy: u8, register: u8) -> u16 {
        self.preamble();
        self.send(READ << 12 | (phy as u16) << 7 | (register as u16) << 2, 14);
        // Two clocks to turn the bus around: in the second, a PHY pulls it low.
        self.clock(0);
        let silent = self.clock(0) != 0;
        let mut value = 0;
        for _ in 0..16 {
            value = value << 1 | self.clock(0) >> 1;
        }
        if silent { u16::MAX } else { value }
    }
}

/// Start, read opcode, PHY address and number of the basic status: 14 bits, from the highest on.
pub const fn read_status(phy: u8) -> u16 {
    READ << 12 | (phy as u16) << 7 | (BMSR as u16) << 2
}

/// The PHY address in what [`read_status`] gave.
pub const fn address_of(read: u16) -> u8 {
    (read >> 7) as u8 & 31
}

/// The link by the PHY's basic status: the first call after a loss returns [`Link::Down`]. `read` is from [`read_status`]. Window 4
/// must be selected.
#[inline(always)]
pub fn link(bus: &impl Bus, port: u16, read: u16) -> Link {
    let mut value = 0u32;
    let mut bits = read;
    // 32 ones, the 14 bits, two clocks to turn the bus around, and the register.
    for clock in 0..64u8 {
        let mut wires = OUTPUT | DATA;
        if clock >= 46 {
            wires = 0;
        } else if clock >= 32 {
            wires = OUTPUT | bits >> 14 & DATA;
            bits <<= 1;
        }
        bus.out16(port, wires);
        value = value << 1 | (bus.in16(port) & DATA) as u32;
        bus.out16(port, wires | CLOCK);
        bus.in16(port);
    }
    // Each bit is one place higher than in the register. Bit 17 is 1 if no PHY has pulled the bus low: there is none.
    if value & 1 << 17 != 0 {
        Link::Unknown
    } else if value & (BMSR_LINK as u32) << 1 != 0 {
        Link::Up
    } else {
        Link::Down
    }
}
