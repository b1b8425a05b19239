//! The parts of the family, and in what their models differ.

use crate::pci::{Bar, Identity, Space};

/// Generations of the chipset, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// 5 series: 82577.
    Pch,
    /// 6 and 7 series: 82579.
    Pch2,
    /// 8 and 9 series: I217, I218.
    Lpt,
    /// 100 and 200 series: the first I219. The flash's registers are among the MAC's.
    Spt,
    /// 300 and 400 series: later I219.
    Cnp,
}

/// A part.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its generation.
    pub generation: Generation,
    /// PCI device; the vendor is 8086h.
    pub device: u16,
    /// PCI revision.
    pub revision: u8,
    /// Its PHY's identifier.
    pub phy: u32,
    /// Its PHY can be in ultra low power (ULP).
    pub ulp: bool,
}

/// The model's offsets of what other base address registers than the first map.
pub const FLASH: u16 = 0xF000;
/// The window of ports.
pub const PORTS: u16 = 0xFF00;
/// The flash's registers on parts that have them among the MAC's.
pub const INNER_FLASH: u16 = 0xE000;
/// Bytes of the MAC's registers; the model has those of the first half.
const MAC: u32 = 0x2_0000;

/// 82577LM.
pub const I82577LM: Part = Part { generation: Generation::Pch, device: 0x10EA, revision: 0x06, phy: 0x0154_0053, ulp: false };
/// 82579LM.
pub const I82579LM: Part = Part { generation: Generation::Pch2, device: 0x1502, revision: 0x04, phy: 0x0154_0093, ulp: false };
/// I217-LM.
pub const I217LM: Part = Part { generation: Generation::Lpt, device: 0x153A, revision: 0x04, phy: 0x0154_00A1, ulp: false };
/// I218-LM of the 9 series (I218-LM 3).
pub const I218LM: Part = Part { generation: Generation::Lpt, device: 0x15A2, revision: 0x03, phy: 0x0154_00A6, ulp: true };
/// I219-LM of the 100 series (I219-LM 2).
pub const I219LM2: Part = Part { generation: Generation::Spt, device: 0x15B7, revision: 0x31, phy: 0x0154_00A4, ulp: true };
/// I219-LM of the 300 series (I219-LM 7).
pub const I219LM7: Part = Part { generation: Generation::Cnp, device: 0x15BB, revision: 0x10, phy: 0x0154_00A4, ulp: true };

/// All parts, with the names of their devices.
pub const PARTS: [(&str, Part); 6] = [
    ("pch-82577lm", I82577LM),
    ("pch-82579lm", I82579LM),
    ("pch-i217lm", I217LM),
    ("pch-i218lm", I218LM),
    ("pch-i219lm2", I219LM2),
    ("pch-i219lm7", I219LM7),
];

impl Part {
    /// Its configuration space.
    pub const fn identity(&self) -> Identity {
        let mac = Bar { number: 0, space: Space::Memory, bytes: MAC, first: 0 };
        let flash = Bar { number: 1, space: Space::Memory, bytes: 0x1000, first: FLASH };
        let ports = Bar { number: 2, space: Space::Ports, bytes: 0x20, first: PORTS };
        Identity {
            vendor: 0x8086,
            device: self.device,
            revision: self.revision,
            bars: if self.whole() { [Some(mac), None, None] } else { [Some(mac), Some(flash), Some(ports)] },
            bus_times: [0, 0],
            power: Some((0xC8, 0xC8)),
            express: None,
        }
    }

    /// Its first base address register maps all that it has.
    pub(super) const fn whole(&self) -> bool {
        matches!(self.generation, Generation::Spt | Generation::Cnp)
    }

    /// Where its shared receive addresses begin, and how many there are.
    pub(super) fn shared(&self) -> (u16, usize) {
        match self.generation {
            Generation::Pch => (0x5408, 6),
            Generation::Pch2 => (0x5438, 4),
            _ => (0x5408, 11),
        }
    }

    /// Writes get lost while the management engine has the bus.
    pub(super) fn arbiter(&self) -> bool {
        self.generation == Generation::Pch2
    }
}
