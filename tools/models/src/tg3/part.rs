//! The chips of the family, and in what their models differ.

use crate::pci::{Bar, Identity, Space};

/// A chip.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// PCI device; the vendor is 14E4h.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Bits 31:16 of 68h in the configuration space. F000h: see `product`.
    pub chip: u16,
    /// Where the configuration space has the product's number, and the number.
    pub product: Option<(u8, u32)>,
    /// Its PHY's identifier.
    pub phy: u32,
    /// Its PHY's highest speed in Mb/s.
    pub speed: u16,
    /// 5717 and later: standard rings of up to 2048, return rings of up to 4096; the standard ring's size comes with the longest
    /// frame's.
    pub large: bool,
    /// 5755 and later: the start of the boot code is a register, the transmitter has a bit against a lock-up.
    pub late: bool,
    /// It manages its own clocks and the PHY's power.
    pub cpmu: bool,
    /// A second processor (APE) behind a further base address register.
    pub ape: bool,
    /// DMA_RW needs bit 7, or tagged status goes wrong.
    pub tag_fix: bool,
    /// A reset clears the PCI command register.
    pub forgetful: bool,
    /// A 5906: no handshake through SRAM, but a status bit; mailboxes only at +5600h.
    pub vcpu: bool,
    /// The kind of its NVRAM, an EEPROM, by its configuration register (7014h).
    pub nvram: u32,
    /// Send rings and return rings.
    pub rings: [u8; 2],
    /// Bits of its configuration (6804h) that tell a board from others.
    pub board: u32,
    /// Its PCI Express capability; None: it is on PCI.
    pub express: Option<u8>,
}

/// BCM5751, revision C2.
pub const BCM5751: Part = Part {
    device: 0x1677,
    revision: 0x21,
    chip: 0x4202,
    product: None,
    phy: 0x0020_6180,
    speed: 1000,
    large: false,
    late: false,
    cpmu: false,
    ape: false,
    tag_fix: false,
    forgetful: true,
    vcpu: false,
    nvram: 0x0200_0000,
    rings: [1, 1],
    board: 0,
    express: Some(0xD0),
};
/// BCM5788, a 5705 on PCI, revision A3. Linux drives it without tagged status.
pub const BCM5788: Part =
    Part { device: 0x169C, revision: 3, chip: 0x3003, phy: 0x0020_61A0, board: 0x1_0000, express: None, ..BCM5751 };
/// BCM5787.
pub const BCM5787: Part =
    Part { device: 0x169B, revision: 2, chip: 0xB002, phy: 0x0143_BCE0, late: true, rings: [1, 1], ..BCM5751 };
/// BCM5906M: 10 and 100 Mb/s.
pub const BCM5906: Part = Part { device: 0x1713, revision: 2, chip: 0xC002, phy: 0x002B_DC40, speed: 100, vcpu: true, ..BCM5751 };
/// BCM57780.
pub const BCM57780: Part = Part {
    device: 0x1692,
    revision: 1,
    chip: 0xF000,
    product: Some((0xBC, 0x5778_0001)),
    phy: 0x0362_5D90,
    late: true,
    cpmu: true,
    forgetful: false,
    express: Some(0xCC),
    ..BCM5751
};
/// BCM57765, revision B0.
pub const BCM57765: Part = Part {
    device: 0x16B4,
    revision: 0x10,
    product: Some((0xFC, 0x5778_5100)),
    phy: 0x0362_5E40,
    large: true,
    rings: [2, 4],
    express: Some(0xAC),
    ..BCM57780
};
/// BCM5720.
pub const BCM5720: Part =
    Part { device: 0x165F, revision: 0, product: Some((0xF4, 0x0572_0000)), phy: 0x0362_5F60, ape: true, tag_fix: true, nvram: 1, rings: [4, 16], ..BCM57765 };

/// All chips, with the names of their devices.
pub const PARTS: [(&str, Part); 7] = [
    ("tg3-5788", BCM5788),
    ("tg3-5751", BCM5751),
    ("tg3-5787", BCM5787),
    ("tg3-5906", BCM5906),
    ("tg3-57780", BCM57780),
    ("tg3-57765", BCM57765),
    ("tg3-5720", BCM5720),
];

const fn memory(number: u8) -> Option<Bar> {
    Some(Bar { number, space: Space::Memory64, bytes: 0x1_0000, first: 0 })
}

impl Part {
    /// Its configuration space.
    pub const fn identity(&self) -> Identity {
        Identity {
            vendor: 0x14E4,
            device: self.device,
            revision: self.revision,
            bars: [memory(0), if self.ape { memory(2) } else { None }, if self.ape { memory(4) } else { None }],
            bus_times: if self.express.is_some() { [0, 0] } else { [0x40, 0] },
            power: Some((0x48, 0xC0)),
            express: self.express,
        }
    }

    /// The address of its PHY; all models are function 0.
    pub(super) const fn phy_address(&self) -> u32 {
        1
    }

    /// The most entries of a standard ring and of a return ring.
    pub(super) const fn most(&self) -> [u32; 2] {
        match (self.large, self.ape) {
            (true, true) => [2048, 4096],
            (true, false) => [512, 1024],
            _ => [512, 512],
        }
    }
}
