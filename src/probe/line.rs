//! Finds the line at which a card's interrupt arrives: makes the card interrupt, and reads the request registers of the
//! interrupt controllers. The lines are masked meanwhile, so that no handler runs. Probes call it.

use crate::bus::Bus;

/// The lines that a card can have: 3 to 7, 9 (ISA pin IRQ2) to 12, 14, 15.
pub const CANDIDATES: u16 = 0b1101_1110_1111_1000;

// The two 8259A interrupt controllers: OCW3, and the register that it selects.
const PIC1: u16 = 0x20;
const PIC2: u16 = 0xA0;
/// OCW3: the next reads return the request register.
const READ_IRR: u8 = 0x0A;
/// Offset of a controller's mask register.
const MASK: u16 = 1;
/// Polls of the request registers until a signal must have reached them. A poll takes at least 2 microseconds on an ISA bus,
/// and a tenth of that on others.
const SETTLE: u16 = 0x100;
/// Polls until a card must have raised its line. Some cards delay interrupts, and an emulator's timers are late on a busy
/// host.
const PATIENCE: u16 = 0x4000;

/// Reads a port of the first controller into the low byte, and the same one of the second into the high byte.
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

/// Polls the request registers `looks` times, or until one of `wanted` is set; returns the last value.
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

/// Whether a line's handler is the BIOS's dummy, so that no other device has the line: it is masked.
pub fn is_free(bus: &impl Bus, line: u8) -> bool {
    both(bus, PIC1 + MASK) & CANDIDATES & 1 << (line & 15) != 0
}

/// Whether the interrupt of a card arrives at the line `named`, which is free, and ends, twice. `act` makes the card interrupt (true)
/// or ends that (false).
pub fn arrives(bus: &impl Bus, named: u8, mut act: impl FnMut(bool)) -> bool {
    let own = 1 << (named & 15);
    let kept = both(bus, PIC1 + MASK);
    set_masks(bus, kept | CANDIDATES);
    act(false);
    let mut well = requests(bus, 0, SETTLE) & own == 0;
    for _ in 0..2u8 {
        act(true);
        well &= requests(bus, own, PATIENCE) & own != 0;
        act(false);
        well &= requests(bus, 0, SETTLE) & own == 0;
    }
    set_masks(bus, kept);
    well
}

/// The line (3 to 15) that rises when `provoke` makes an ISA card with an unknown line interrupt; 0 if none or several do.
/// `quiet` must end the interrupt.
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

/// The line that rises when `provoke` makes a card interrupt, which should be `named`; 0 if none does.
///
/// `quiet` must end the interrupt, and returns whether the card had requested one. If it had not, or if `named` is requested
/// already, nothing can be found out, and the result is `named`.
pub fn check(bus: &impl Bus, named: u8, mut provoke: impl FnMut(), mut quiet: impl FnMut() -> bool) -> u8 {
    let own = 1 << (named & 15);
    let kept = both(bus, PIC1 + MASK);
    set_masks(bus, kept | CANDIDATES);
    let mut lines = CANDIDATES;
    // Twice: a line that another device raises meanwhile neither falls with the card's request nor rises with the next one.
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
