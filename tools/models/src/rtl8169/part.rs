//! The chips of the family, and in what their models differ.

use crate::pci::{Bar, Identity, Space};

/// Generations of chips, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 8169, 8110: on PCI.
    Pci,
    /// 8168B, 8101E: the first on PCI Express.
    First,
    /// 8168C to 8168F, 8102E, 8105E: checksums by the second word of a descriptor.
    Second,
    /// 8168G and later, 8107E: firmware owns the FIFO at first; the PHY is reached by OCP.
    Third,
    /// 8125: other registers for interrupts and the doorbell.
    Fourth,
}

/// A chip.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its generation.
    pub generation: Generation,
    /// PCI device; the vendor is 10ECh.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Bits 31:20 of its transmit configuration, by which drivers tell chips apart.
    pub xid: u16,
    /// Its PHY's identifier.
    pub phy: u32,
    /// Its PHY's highest speed in Mb/s.
    pub speed: u16,
    /// Bytes of its receive FIFO.
    pub fifo: usize,
    /// An overflow of that FIFO stops the receiver until the chip is reset.
    pub wedges: bool,
    /// It sends short frames as they are.
    pub unpadded: bool,
    /// Its PHY is powered down after power-on.
    pub dozes: bool,
    /// A second bus address for its registers, besides its ports.
    window: Bar,
}

const MEMORY: Bar = Bar { number: 1, space: Space::Memory, bytes: 0x100, first: 0 };
const WIDE: Bar = Bar { number: 2, space: Space::Memory64, bytes: 0x1000, first: 0 };

const fn pci(device: u16, xid: u16) -> Part {
    Part {
        generation: Generation::Pci,
        device,
        revision: 0x10,
        xid,
        phy: 0x001C_C910,
        speed: 1000,
        fifo: 0x1_0000,
        wedges: false,
        unpadded: false,
        dozes: false,
        window: MEMORY,
    }
}

const fn express(generation: Generation, revision: u8, xid: u16, phy: u32) -> Part {
    Part { generation, revision, phy, fifo: 0x4000, window: WIDE, ..pci(0x8168, xid) }
}

const fn fourth(revision: u8, xid: u16, phy: u32) -> Part {
    let window = Bar { bytes: 0x1_0000, ..WIDE };
    Part { device: 0x8125, speed: 2500, unpadded: true, window, ..express(Generation::Fourth, revision, xid, phy) }
}

/// RTL8110S.
pub const RTL8110S: Part = pci(0x8169, 0x040);
/// RTL8169SB.
pub const RTL8169SB: Part = pci(0x8169, 0x100);
/// RTL8169SC, revision e.
pub const RTL8169SC: Part = pci(0x8167, 0x980);
/// RTL8101E: 10 and 100 Mb/s.
pub const RTL8101E: Part = Part { device: 0x8136, speed: 100, ..express(Generation::First, 1, 0x340, 0x0000_8201) };
/// RTL8168B.
pub const RTL8168B: Part = Part { wedges: true, ..express(Generation::First, 1, 0x300, 0x001C_C912) };
/// RTL8168C.
pub const RTL8168C: Part = Part { dozes: true, ..express(Generation::Second, 2, 0x3C2, 0x001C_C912) };
/// RTL8168E-VL.
pub const RTL8168EVL: Part = Part { dozes: true, unpadded: true, ..express(Generation::Second, 6, 0x2C8, 0x001C_C915) };
/// RTL8168F.
pub const RTL8168F: Part = Part { dozes: true, ..express(Generation::Second, 9, 0x481, 0x001C_C915) };
/// RTL8168G.
pub const RTL8168G: Part = express(Generation::Third, 0x0C, 0x4C0, 0x001C_C800);
/// RTL8168H.
pub const RTL8168H: Part = express(Generation::Third, 0x15, 0x541, 0x001C_C800);
/// RTL8107E: 10 and 100 Mb/s.
pub const RTL8107E: Part = Part { device: 0x8136, revision: 7, speed: 100, ..RTL8168H };
/// RTL8125A.
pub const RTL8125A: Part = fourth(4, 0x609, 0x001C_C800);
/// RTL8125B.
pub const RTL8125B: Part = fourth(5, 0x641, 0x001C_C840);
/// RTL8125D.
pub const RTL8125D: Part = fourth(0x0C, 0x688, 0x001C_C841);

/// RTL8126, of 5 Gb/s, with the registers of an 8125D: only its identity matters, which the driver does not know.
pub const RTL8126: Part = Part { device: 0x8126, ..RTL8125D };

/// All chips that the tests drive, with the names of their devices.
pub const PARTS: [(&str, Part); 14] = [
    ("rtl8169-8110s", RTL8110S),
    ("rtl8169-8169sb", RTL8169SB),
    ("rtl8169-8169sc", RTL8169SC),
    ("rtl8169-8101e", RTL8101E),
    ("rtl8169-8168b", RTL8168B),
    ("rtl8169-8168c", RTL8168C),
    ("rtl8169-8168evl", RTL8168EVL),
    ("rtl8169-8168f", RTL8168F),
    ("rtl8169-8168g", RTL8168G),
    ("rtl8169-8168h", RTL8168H),
    ("rtl8169-8107e", RTL8107E),
    ("rtl8169-8125a", RTL8125A),
    ("rtl8169-8125b", RTL8125B),
    ("rtl8169-8125d", RTL8125D),
];

impl Part {
    /// Its configuration space.
    pub const fn identity(&self) -> Identity {
        let pci = matches!(self.generation, Generation::Pci);
        Identity {
            vendor: 0x10EC,
            device: self.device,
            revision: self.revision,
            bars: [Some(Bar { number: 0, space: Space::Ports, bytes: 0x100, first: 0 }), Some(self.window), None],
            bus_times: if pci { [0x20, 0x40] } else { [0, 0] },
            power: Some(if pci { (0xDC, 0xF7) } else { (0x40, 0xFF) }),
            express: if pci { None } else { Some(0x70) },
        }
    }

    /// Firmware owns its FIFO after power-on.
    pub(super) fn managed(&self) -> bool {
        self.generation >= Generation::Third
    }

    /// Another layout of interrupt and doorbell registers.
    pub(super) fn fourth(&self) -> bool {
        self.generation == Generation::Fourth
    }

    /// It has the extended registers (ERI).
    pub(super) fn extended(&self) -> bool {
        self.managed() || matches!(self.xid, 0x2C8 | 0x440 | 0x480 | 0x481 | 0x488)
    }
}
