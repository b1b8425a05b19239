//! Which PCI functions there are, in the order of bus, device, function.

use crate::bus::Bus;
use crate::bus::real::Machine;
use crate::install::dos::regs;
use crate::probe::pci;

const ADDRESS: u16 = 0xCF8;
const ENABLE: u32 = 1 << 31;

/// Broadcom's 5706, 5708, 5709 and 5716, which need firmware that may not be passed on: vendor in the low half.
pub static BNX2: [u32; 8] =
    [0x164A_14E4, 0x16AA_14E4, 0x164C_14E4, 0x16AC_14E4, 0x1639_14E4, 0x163A_14E4, 0x163B_14E4, 0x163C_14E4];

/// The last bus, by the BIOS; all buses where there is none but configuration mechanism 1 answers; None: no PCI.
fn last_bus() -> Option<u8> {
    let regs = regs(0xB101);
    if regs.interrupt(0x1A) && regs.ax & 0xFF00 == 0 && regs.dx == u16::from_le_bytes(*b"PC") {
        return Some(regs.cx as u8);
    }
    Machine.out32(ADDRESS, ENABLE);
    (Machine.in32(ADDRESS) == ENABLE).then_some(u8::MAX)
}

/// Functions that answer, in their order.
pub struct Functions {
    next: u32,
    end: u32,
}

impl Functions {
    /// All of them. None: no PCI.
    pub fn all() -> Option<Functions> {
        Some(Functions { next: 0, end: (last_bus()? as u32 + 1) << 8 })
    }

    /// The next one's place (bus in bits 15:8, device 7:3, function 2:0) and identity.
    pub fn next(&mut self) -> Option<(u16, u32)> {
        /// In the register with the header's kind: the device has more than one function.
        const MANY: u32 = 1 << 23;
        while self.next < self.end {
            let place = self.next as u16;
            let id = pci::id(&Machine, place);
            let answers = id as u16 != u16::MAX;
            let alone = place & 7 == 0 && !(answers && Machine.config_read(place, 0x0C) & MANY != 0);
            self.next += if alone { 8 } else { 1 };
            if answers {
                return Some((place, id));
            }
        }
        None
    }
}
