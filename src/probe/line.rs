//! Finds out where a card's interrupt arrives: the card is made to request one, and the controllers' request registers
//! show where. The lines are masked meanwhile, so that nobody takes it.

use crate::bus::Bus;

/// Lines that a card can have: 3 to 7, 9 (on ISA pin IRQ2) to 12, 14, 15.
pub const CANDIDATES: u16 = 0b1101_1110_1111_1000;

/// The two 8259A interrupt controllers: OCW3, and what it has chosen to be read.
const PIC1: u16 = 0x20;
const PIC2: u16 = 0xA0;
/// In OCW3: the next reads give the request register.
const READ_IRR: u8 = 0x0A;
/// Behind them, their masks.
const MASK: u16 = 1;
/// Looks at the request registers until a signal has reached them: a look takes 2 us at least on an ISA bus, and a tenth
/// of that elsewhere.
const SETTLE: u16 = 0x100;
/// Looks until a card has raised its line: some space their interrupts out, and an emulator's timers are late on a busy
/// host.
const PATIENCE: u16 = 0x4000;

/// Reads a port of the first controller, and the same of the second into the high byte.
#[inline(never)]
fn both(bus: &impl Bus, port: u16) -> u16 {
    u16::from_le_bytes([bus.in8(port), bus.in8(port + (PIC2 - PIC1))])
}

#[inline(never)]
fn set_masks(bus: &impl Bus, masks: u16) {
    let [first, second] = masks.to_le_bytes();
    bus.out8(PIC1 + MASK, first);
    bus.out8(PIC2 + MASK, second);
}

/// The request registers, as they are at the last of so many looks or once `wanted` is in them.
#[inline(never)]
fn requests(bus: &impl Bus, wanted: u16, looks: u16) -> u16 {
    let mut lines = 0;
    let _ = bus.poll(looks, || {
        bus.out8(PIC1, READ_IRR);
        bus.out8(PIC2, READ_IRR);
        lines = both(bus, PIC1);
        lines & wanted != 0
    });
    lines
}

/// The line (3 to 15) that rises when `provoke` makes an ISA card of which nothing is known interrupt, 0 if none or more
/// than one does; `quiet` must end it.
pub fn find(bus: &impl Bus, provoke: impl FnOnce(), quiet: impl FnOnce()) -> u8 {
    let kept = both(bus, PIC1 + MASK);
    set_masks(bus, kept | CANDIDATES);
    let before = requests(bus, 0, 1);
    provoke();
    let lines = requests(bus, 0, SETTLE) & !before & CANDIDATES;
    quiet();
    requests(bus, 0, SETTLE);
    set_masks(bus, kept);
    if lines.is_power_of_two() { lines.trailing_zeros() as u8 } else { 0 }
}

/// The line that rises when `provoke` makes a card interrupt that should do so at `named`; 0 if none does.
///
/// `quiet` must end it, and says whether the card had a request. If it had not, or if the line is requested already,
/// nothing can be told, and `named` it is.
pub fn check(bus: &impl Bus, named: u8, mut provoke: impl FnMut(), mut quiet: impl FnMut() -> bool) -> u8 {
    let own = 1 << (named & 15);
    let kept = both(bus, PIC1 + MASK);
    set_masks(bus, kept | CANDIDATES);
    let mut lines = CANDIDATES;
    // Twice: what somebody else raises meanwhile neither falls with the card's request nor rises with the next one.
    for _ in 0..2u8 {
        let before = requests(bus, 0, SETTLE);
        provoke();
        let seen = requests(bus, own, PATIENCE);
        if !quiet() || seen & own != 0 {
            lines = own;
            break;
        }
        lines &= seen & !before;
    }
    set_masks(bus, kept);
    (lines | 1).ilog2() as u8
}
