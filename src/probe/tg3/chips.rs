//! The identities of the cards, and what differs between their chips.

use crate::probe::CHIP;

// Chips that are started in their own ways, in the order of their coming, but for the first.
/// 5906: 100 Mb/s; its boot code runs on another processor, its mailboxes are elsewhere, and most of its memory is out of reach.
pub const B5906: u8 = 0;
/// 5705, 5750, 5751, 5721, 5714, 5715, 5780 and their kin.
pub const B5705: u8 = 1;
/// 5752: the first with a fast boot.
pub const B5752: u8 = 2;
/// 5755, 5722: four return rings.
pub const B5755: u8 = 3;
/// 5754, 5787.
pub const B5787: u8 = 4;
/// 5761, 5764, 5784, 5785, 57760, 57780: the first with a unit for power.
pub const B5761: u8 = 5;
/// 57761 to 57795.
pub const B57765: u8 = 6;
/// 5717, 5718: another place for receive descriptors.
pub const B5717: u8 = 7;
/// 5719.
pub const B5719: u8 = 8;
/// 5720.
pub const B5720: u8 = 9;
/// 5762, 5725, 5727, 57764, 57767, 57787.
pub const B5762: u8 = 10;

/// A PCI device of Broadcom's, and its chip's name, padded with zeros.
#[derive(Clone, Copy)]
struct Chip {
    device: u16,
    part: u8,
    name: [u8; NAME],
}

/// The longest name.
const NAME: usize = 6;

const fn chip(device: u16, part: u8, name: &str) -> Chip {
    let mut bytes = [0; NAME];
    let (head, _) = bytes.split_at_mut(name.len());
    head.copy_from_slice(name.as_bytes());
    Chip { device, part, name: bytes }
}

static CHIPS: [Chip; 74] = [
    chip(0x1653, B5705, "5705"),
    chip(0x1654, B5705, "5705"),
    chip(0x165D, B5705, "5705M"),
    chip(0x165E, B5705, "5705M"),
    chip(0x166E, B5705, "5705F"),
    chip(0x1696, B5705, "5782"),
    chip(0x169C, B5705, "5788"),
    chip(0x16DD, B5705, "5781"),
    chip(0x170D, B5705, "5901"),
    chip(0x170E, B5705, "5901"),
    chip(0x16FF, B5705, "5903M"),
    chip(0x1659, B5705, "5721"),
    chip(0x1676, B5705, "5750"),
    chip(0x167C, B5705, "5750M"),
    chip(0x1677, B5705, "5751"),
    chip(0x167D, B5705, "5751M"),
    chip(0x167E, B5705, "5751F"),
    chip(0x16F7, B5705, "5753"),
    chip(0x16FD, B5705, "5753M"),
    chip(0x16FE, B5705, "5753F"),
    chip(0x169D, B5705, "5789"),
    chip(0x1668, B5705, "5714"),
    chip(0x1669, B5705, "5714S"),
    chip(0x1678, B5705, "5715"),
    chip(0x1679, B5705, "5715S"),
    chip(0x166A, B5705, "5780"),
    chip(0x166B, B5705, "5780S"),
    chip(0x1600, B5752, "5752"),
    chip(0x1601, B5752, "5752M"),
    chip(0x165A, B5755, "5722"),
    chip(0x167B, B5755, "5755"),
    chip(0x1673, B5755, "5755M"),
    chip(0x1674, B5755, "5756"),
    chip(0x167A, B5787, "5754"),
    chip(0x1672, B5787, "5754M"),
    chip(0x169A, B5787, "5786"),
    chip(0x169B, B5787, "5787"),
    chip(0x1693, B5787, "5787M"),
    chip(0x167F, B5787, "5787F"),
    chip(0x1712, B5906, "5906"),
    chip(0x1713, B5906, "5906M"),
    chip(0x1681, B5761, "5761"),
    chip(0x1680, B5761, "5761E"),
    chip(0x1688, B5761, "5761S"),
    chip(0x1689, B5761, "5761SE"),
    chip(0x1684, B5761, "5764"),
    chip(0x1698, B5761, "5784"),
    chip(0x1699, B5761, "5785"),
    chip(0x16A0, B5761, "5785F"),
    chip(0x1690, B5761, "57760"),
    chip(0x1692, B5761, "57780"),
    chip(0x1691, B5761, "57788"),
    chip(0x1694, B5761, "57790"),
    chip(0x16B0, B57765, "57761"),
    chip(0x1682, B57765, "57762"),
    chip(0x1642, B5762, "57764"),
    chip(0x16B4, B57765, "57765"),
    chip(0x1686, B57765, "57766"),
    chip(0x1683, B5762, "57767"),
    chip(0x16B1, B57765, "57781"),
    chip(0x16B7, B57765, "57782"),
    chip(0x16B5, B57765, "57785"),
    chip(0x16B3, B57765, "57786"),
    chip(0x1641, B5762, "57787"),
    chip(0x16B2, B57765, "57791"),
    chip(0x16B6, B57765, "57795"),
    chip(0x1687, B5762, "5762"),
    chip(0x1643, B5762, "5725"),
    chip(0x16F3, B5762, "5727"),
    chip(0x1655, B5717, "5717"),
    chip(0x1665, B5717, "5717"),
    chip(0x1656, B5717, "5718"),
    chip(0x1657, B5719, "5719"),
    chip(0x165F, B5720, "5720"),
];

/// Their PCI identities: vendor in the low half.
pub const IDS: [u32; CHIPS.len()] = {
    let mut ids = [0; CHIPS.len()];
    let mut index = 0;
    while index < ids.len() {
        ids[index] = (CHIPS[index].device as u32) << 16 | 0x14E4;
        index += 1;
    }
    ids
};

/// The part with this identity, and what [`crate::probe::Found::chip`] says of it.
pub fn part_and_name(id: u32) -> (u8, [u8; CHIP]) {
    let mut text = *b": BCM\0\0\0\0\0\0\0\0\0";
    match CHIPS.iter().find(|chip| chip.device as u32 == id >> 16) {
        Some(chip) => {
            text.iter_mut().skip(5).zip(chip.name).for_each(|(to, from)| *to = from);
            (chip.part, text)
        }
        None => (B5705, [0; CHIP]),
    }
}
