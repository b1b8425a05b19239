//! The identities of the cards, and what differs between their chips.

use crate::probe::CHIP;

/// Chips that are started in their own ways.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// 82575: no table of unicast addresses.
    First,
    /// 82576: no power control of the PHY.
    Second,
    /// 82580, I350, I354, I211.
    Third,
    /// I210: a reset does not restore the sizes of its buffers.
    I210,
    /// I225 and I226: the same, and another number for the PHY.
    I225,
}

/// A PCI device of Intel's, and its chip's name, padded with zeros.
#[derive(Clone, Copy)]
struct Chip {
    device: u16,
    part: Part,
    name: [u8; NAME],
}

/// The longest name.
const NAME: usize = 9;

const fn chip(device: u16, part: Part, name: &str) -> Chip {
    let mut bytes = [0; NAME];
    let (head, _) = bytes.split_at_mut(name.len());
    head.copy_from_slice(name.as_bytes());
    Chip { device, part, name: bytes }
}

static CHIPS: [Chip; 49] = [
    chip(0x10A7, Part::First, "82575EB"),
    chip(0x10A9, Part::First, "82575EB"), // SerDes
    chip(0x10D6, Part::First, "82575GB"), // four ports
    chip(0x10C9, Part::Second, "82576"),
    chip(0x10E6, Part::Second, "82576"), // fiber
    chip(0x10E7, Part::Second, "82576"), // SerDes
    chip(0x10E8, Part::Second, "82576"), // four ports
    chip(0x150A, Part::Second, "82576NS"),
    chip(0x150D, Part::Second, "82576"), // SerDes, four ports
    chip(0x1518, Part::Second, "82576NS"), // SerDes
    chip(0x1526, Part::Second, "82576"), // four ports, ET2
    chip(0x150E, Part::Third, "82580"),
    chip(0x150F, Part::Third, "82580"), // fiber
    chip(0x1510, Part::Third, "82580"), // SerDes
    chip(0x1511, Part::Third, "82580"), // SGMII
    chip(0x1516, Part::Third, "82580"), // two ports
    chip(0x1527, Part::Third, "82580"), // fiber, four ports
    chip(0x0438, Part::Third, "DH89xxCC"), // SGMII
    chip(0x043A, Part::Third, "DH89xxCC"), // SerDes
    chip(0x043C, Part::Third, "DH89xxCC"), // backplane
    chip(0x0440, Part::Third, "DH89xxCC"), // SFP
    chip(0x1521, Part::Third, "I350"),
    chip(0x1522, Part::Third, "I350"), // fiber
    chip(0x1523, Part::Third, "I350"), // backplane
    chip(0x1524, Part::Third, "I350"), // SGMII
    chip(0x1546, Part::Third, "I350"), // DA4
    chip(0x1F40, Part::Third, "I354"), // backplane, 1 Gb/s
    chip(0x1F41, Part::Third, "I354"), // SGMII
    chip(0x1F45, Part::Third, "I354"), // backplane, 2.5 Gb/s
    chip(0x1533, Part::I210, "I210"),
    chip(0x1536, Part::I210, "I210"), // fiber
    chip(0x1537, Part::I210, "I210"), // backplane
    chip(0x1538, Part::I210, "I210"), // SGMII
    chip(0x157B, Part::I210, "I210"), // without flash memory
    chip(0x157C, Part::I210, "I210"), // backplane, without flash memory
    chip(0x1539, Part::Third, "I211"),
    chip(0x15F2, Part::I225, "I225-LM"),
    chip(0x15F3, Part::I225, "I225-V"),
    chip(0x15F7, Part::I225, "I220-V"),
    chip(0x15F8, Part::I225, "I225-I"),
    chip(0x3100, Part::I225, "I225-K"),
    chip(0x3101, Part::I225, "I225-K2"),
    chip(0x0D9F, Part::I225, "I225-IT"),
    chip(0x5502, Part::I225, "I225-LMvP"),
    chip(0x125B, Part::I225, "I226-LM"),
    chip(0x125C, Part::I225, "I226-V"),
    chip(0x125D, Part::I225, "I226-IT"),
    chip(0x3102, Part::I225, "I226-K"),
    chip(0x5503, Part::I225, "I226-LMvP"),
];

/// Their PCI identities: vendor in the low half.
pub const IDS: [u32; CHIPS.len()] = {
    let mut ids = [0; CHIPS.len()];
    let mut index = 0;
    while index < ids.len() {
        ids[index] = (CHIPS[index].device as u32) << 16 | 0x8086;
        index += 1;
    }
    ids
};

/// The part with this identity, and what [`crate::probe::Found::chip`] says of it.
pub fn part_and_name(id: u32) -> (Part, [u8; CHIP]) {
    let mut text = *b": \0\0\0\0\0\0\0\0\0\0\0\0";
    match CHIPS.iter().find(|chip| chip.device as u32 == id >> 16) {
        Some(chip) => {
            text.iter_mut().skip(2).zip(chip.name).for_each(|(to, from)| *to = from);
            (chip.part, text)
        }
        None => (Part::Third, [0; CHIP]),
    }
}
