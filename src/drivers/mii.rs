//! PHY registers by hand (IEEE 802.3, clause 22.2.4.5), as 3C905 and its kin have them in window 4.

use crate::bus::Bus;
use crate::device::Link;

/// Wires to the PHY (window 4).
pub const PHYSICAL: u16 = 0x08;
const   CLOCK: u16 = 1 << 0;
const   DATA: u16 = 1 << 1;
const   OUTPUT: u16 = 1 << 2;

/// Basic status: link in bit 2, negotiation complete in bit 5. The link bit keeps a 0 until it is read.
pub const BMSR: u8 = 1;
/// See [`BMSR`].
pub const   BMSR_LINK: u16 = 1 << 2;

/// Start, and a read; then five bits of PHY and five of register.
const READ: u16 = 6;

/// The wires, at a port; window 4 is selected.
pub struct Mii<'a, B> {
    /// How the port is reached.
    pub bus: &'a B,
    /// Port of [`PHYSICAL`].
    pub port: u16,
}

impl<B: Bus> Mii<'_, B> {
    /// A clock in which `wires` stay; what the PHY says before it.
    #[inline(never)]
    fn clock(&self, wires: u16) -> u16 {
        self.bus.out16(self.port, wires);
        // A read is also the pause that the PHY wants between edges.
        let read = self.bus.in16(self.port) & DATA;
        self.bus.out16(self.port, wires | CLOCK);
        self.bus.in16(self.port);
        read
    }

    /// Sends the upper `count` of 16 bits.
    #[inline(never)]
    pub fn send(&self, mut bits: u16, count: u8) {
        for _ in 0..count {
            self.clock(OUTPUT | bits >> 14 & DATA);
            bits <<= 1;
        }
    }

    /// 32 ones, which every access begins with.
    #[inline(always)]
    pub fn preamble(&self) {
        self.send(u16::MAX, 16);
        self.send(u16::MAX, 16);
    }

    /// A register; all ones when no PHY answers.
    #[inline(never)]
    pub fn read(&self, phy: u8, register: u8) -> u16 {
        self.preamble();
        self.send(READ << 12 | (phy as u16) << 7 | (register as u16) << 2, 14);
        // The bus turns round; the PHY pulls it low.
        self.clock(0);
        let silent = self.clock(0) != 0;
        let mut value = 0;
        for _ in 0..16 {
            value = value << 1 | self.clock(0) >> 1;
        }
        if silent { u16::MAX } else { value }
    }
}

/// Start, read, PHY and the basic status: 14 bits from the top.
pub const fn read_status(phy: u8) -> u16 {
    READ << 12 | (phy as u16) << 7 | (BMSR as u16) << 2
}

/// What the basic status says of the link: down once, if it was lost since this was last called. `read` is [`read_status`]'s.
/// Window 4 is selected.
#[inline(always)]
pub fn link(bus: &impl Bus, port: u16, read: u16) -> Link {
    let mut value = 0u32;
    let mut bits = read;
    // 32 ones, the 14 bits, two clocks in which the bus turns round, and the register.
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
    // A bit is one further up than in the register. No PHY has pulled the bus low: nobody is there.
    if value & 1 << 17 != 0 {
        Link::Unknown
    } else if value & (BMSR_LINK as u32) << 1 != 0 {
        Link::Up
    } else {
        Link::Down
    }
}
