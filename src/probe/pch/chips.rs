//! The identities of the parts, and what differs between their chipsets.

use crate::probe::CHIP;

/// Generations that are started in their own ways, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Part {
    /// 5 series: 82577, 82578.
    First,
    /// 6 and 7 series: 82579.
    Second,
    /// 8 series: I217.
    I217,
    /// 8 and 9 series: I218, whose PHY has an ultra low power state.
    I218,
    /// 100 to 400 series: I219.
    I219,
    /// 500 series and later: I219.
    Late,
}

/// A PCI device of Intel's, and its chip's name, padded with zeros.
#[derive(Clone, Copy)]
struct Chip {
    device: u16,
    part: Part,
    name: [u8; NAME],
}

/// The longest name.
const NAME: usize = 7;

const fn chip(device: u16, part: Part, name: &str) -> Chip {
    let mut bytes = [0; NAME];
    let (head, _) = bytes.split_at_mut(name.len());
    head.copy_from_slice(name.as_bytes());
    Chip { device, part, name: bytes }
}

static CHIPS: [Chip; NUMBERS] = {
    let mut chips = [FIRST[0]; NUMBERS];
    let mut index = 0;
    while index < NUMBERS {
        chips[index] = if index < FIRST.len() { FIRST[index] } else { later(index - FIRST.len()) };
        index += 1;
    }
    chips
};

const fn later(index: usize) -> Chip {
    let device = LATER[index];
    let name = match device {
        0x5000.. => "I219",
        _ if index.is_multiple_of(2) => "I219-LM",
        _ => "I219-V",
    };
    chip(device, if index < MIDDLE { Part::I219 } else { Part::Late }, name)
}

const NUMBERS: usize = FIRST.len() + LATER.len();

const FIRST: [Chip; 15] = [
    chip(0x10EA, Part::First, "82577LM"),
    chip(0x10EB, Part::First, "82577LC"),
    chip(0x10EF, Part::First, "82578DM"),
    chip(0x10F0, Part::First, "82578DC"),
    chip(0x1502, Part::Second, "82579LM"),
    chip(0x1503, Part::Second, "82579V"),
    chip(0x153A, Part::I217, "I217-LM"),
    chip(0x153B, Part::I217, "I217-V"),
    chip(0x155A, Part::I218, "I218-LM"),
    chip(0x1559, Part::I218, "I218-V"),
    chip(0x15A0, Part::I218, "I218-LM"),
    chip(0x15A1, Part::I218, "I218-V"),
    chip(0x15A2, Part::I218, "I218-LM"),
    chip(0x15A3, Part::I218, "I218-V"),
    chip(0x15B9, Part::I219, "I219-LM"),
];

/// I219: LM and V by turns, up to 5000h.
const LATER: [u16; 54] = [
    0x156F, 0x1570, 0x15B7, 0x15B8, 0x15D7, 0x15D8, 0x15E3, 0x15D6, 0x15BD, 0x15BE, 0x15BB, 0x15BC, 0x15DF, 0x15E0, 0x15E1, 0x15E2,
    0x0D4E, 0x0D4F, 0x0D4C, 0x0D4D, 0x0D53, 0x0D55, 0x15FB, 0x15FC, 0x15F9, 0x15FA, 0x15F4, 0x15F5, 0x1A1E, 0x1A1F, 0x1A1C, 0x1A1D,
    0x0DC7, 0x0DC8, 0x0DC5, 0x0DC6, 0x550A, 0x550B, 0x550C, 0x550D, 0x550E, 0x550F, 0x5510, 0x5511, 0x57A0, 0x57A1, 0x57B3, 0x57B4,
    0x57B5, 0x57B6, 0x57B7, 0x57B8, 0x57B9, 0x57BA,
];
/// The place of the first of [`Part::Late`] among them.
const MIDDLE: usize = 22;

/// Their PCI identities: vendor in the low half.
pub const IDS: [u32; NUMBERS] = {
    let mut ids = [0; NUMBERS];
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
        None => (Part::Late, [0; CHIP]),
    }
}
