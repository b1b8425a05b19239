//! What differs between the chips, by their number in TCR: their names, for the line at load, and how they are set up.

use crate::drivers::rtl8169::*;
use crate::probe::CHIP;

/// The number of the chip and its revision: bits 31:20 of TCR, of which these do not vary with the board.
pub const XID: u16 = 0xFCF;
/// Those of them that chips of one name share.
const NAME: u16 = 0x7C8;

// Bits of RCR that differ by chip.
const BURST: u32 = 7 << 8;
const RCR_FIFO: u32 = 7 << 13;
const RCR_8168C: u32 = 3 << 14;
const RCR_FAST: u32 = 1 << 15;
const RCR_EARLY_OFF: u32 = 1 << 11;
const RCR_8125: u32 = 8 << 27;
const RCR_8125D: u32 = 1 << 21;

/// A chip: its number under [`NAME`], its name.
type Chip = (u16, [u8; 8]);

/// Chips up to the 8168, and the 8411 and 8117.
static CHIPS: [Chip; 30] = [
    (0x000, *b"8169S\0\0\0"),
    (0x008, *b"8169S\0\0\0"),
    (0x040, *b"8110S\0\0\0"),
    (0x100, *b"8169SB\0\0"),
    (0x180, *b"8169SC\0\0"),
    (0x240, *b"8401\0\0\0\0"),
    (0x248, *b"8102E\0\0\0"),
    (0x280, *b"8168D\0\0\0"),
    (0x288, *b"8168DP\0\0"),
    (0x2C0, *b"8168E\0\0\0"),
    (0x2C8, *b"8168E-VL"),
    (0x300, *b"8168B\0\0\0"),
    (0x308, *b"8100E\0\0\0"),
    (0x340, *b"8101E\0\0\0"),
    (0x348, *b"8102E\0\0\0"),
    (0x380, *b"8168B\0\0\0"),
    (0x388, *b"8100E\0\0\0"),
    (0x3C0, *b"8168C\0\0\0"),
    (0x3C8, *b"8168CP\0\0"),
    (0x408, *b"8105E\0\0\0"),
    (0x440, *b"8402\0\0\0\0"),
    (0x448, *b"8106E\0\0\0"),
    (0x480, *b"8168F\0\0\0"),
    (0x488, *b"8411\0\0\0\0"),
    (0x4C0, *b"8168G\0\0\0"),
    (0x500, *b"8168EP\0\0"),
    (0x508, *b"8168GU\0\0"),
    (0x540, *b"8168H\0\0\0"),
    (0x548, *b"8117\0\0\0\0"),
    (0x5C8, *b"8411B\0\0\0"),
];

/// Chips with the 8125's registers.
static CHIPS_8125: [Chip; 5] = [
    (0x608, *b"8125A\0\0\0"),
    (0x640, *b"8125B\0\0\0"),
    (0x680, *b"8125BP\0\0"),
    (0x688, *b"8125D\0\0\0"),
    (0x708, *b"8125CP\0\0"),
];

/// What [`crate::probe::Found::chip`] says of a chip. `fast`: it has no gigabit, as its PCI identity says.
pub fn name(xid: u16, new: bool, fast: bool) -> [u8; CHIP] {
    let chips: &[Chip] = if new { &CHIPS_8125 } else { &CHIPS };
    let Some((number, known)) = chips.iter().find(|(number, _)| *number == xid & NAME) else {
        // So that the chip can be reported: "XID 6C1".
        let digit = |shift: u8| {
            let digit = (xid >> shift) as u8 & 15;
            digit + if digit < 10 { b'0' } else { b'A' - 10 }
        };
        return [b':', b' ', b'X', b'I', b'D', b' ', digit(8), digit(4), digit(0), 0, 0, 0, 0, 0];
    };
    let known = match number {
        0x508 if fast => b"8106E\0\0\0",
        0x540 if fast => b"8107E\0\0\0",
        _ => known,
    };
    let mut name = *b": RTL\0\0\0\0\0\0\0\0\0";
    name.iter_mut().skip(5).zip(known).for_each(|(to, from)| *to = *from);
    name
}

/// How a chip differs from the others in the driver.
pub fn part_of(xid: u16) -> u8 {
    match xid {
        0x000..=0x1FF | 0x980..=0x98F => ON_PCI,
        0x280..=0x28B => NO_STOP,
        0x300 | 0x380 => WEDGES,
        0x3C0..=0x3C9 => STORMS,
        0x480 => LATER | NO_HASH,
        0x2C8 | 0x440 | 0x481..=0x4BF => LATER,
        0x4C0.. => LATER | GATED,
        _ => 0,
    }
}

/// The upper part of the receive configuration.
pub fn rcr_of(xid: u16) -> u32 {
    BURST
        | match xid {
            0x000..=0x1FF | 0x980..=0x98F | 0x340..=0x343 | 0x300 | 0x380 => RCR_FIFO,
            0x608..=0x63F => RCR_8125,
            0x640..=0x67F => RCR_8125 | RCR_EARLY_OFF,
            0x680.. => RCR_8125 | RCR_EARLY_OFF | RCR_8125D,
            0x4C0.. => RCR_8168C | RCR_EARLY_OFF,
            0x240..=0x24F | 0x344..=0x34F | 0x400..=0x47F => RCR_FAST,
            _ => RCR_8168C,
        }
}
