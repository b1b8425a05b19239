//! Finds the interrupt line of an ISA card: the card is made to interrupt, and the controllers' request registers show
//! where.

use crate::bus::Bus;

/// Lines that an ISA card can have: 3 to 5, 7, 9 (pin IRQ2) to 12, 15.
pub const CANDIDATES: u16 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 15;

/// The two 8259A interrupt controllers.
const PICS: [u16; 2] = [0x20, 0xA0];
/// OCW3: the next reads of the port give the request register.
const READ_IRR: u8 = 0x0A;
/// A signal reaches the request register well within this, in microseconds.
const SETTLE: u16 = 100;

fn both(bus: &impl Bus, offset: u16) -> u16 {
    u16::from_le_bytes(PICS.map(|pic| bus.in8(pic.wrapping_add(offset))))
}

fn set_masks(bus: &impl Bus, masks: u16) {
    for (pic, mask) in PICS.into_iter().zip(masks.to_le_bytes()) {
        bus.out8(pic.wrapping_add(1), mask);
    }
}

fn requests(bus: &impl Bus) -> u16 {
    for pic in PICS {
        bus.out8(pic, READ_IRR);
    }
    both(bus, 0)
}

/// The line (3 to 15) that rises when `provoke` makes the card interrupt, 0 if none or more than one does.
///
/// The candidates are masked meanwhile, so that nobody takes the interrupt; `quiet` must end it.
pub fn find(bus: &impl Bus, provoke: impl FnOnce(), quiet: impl FnOnce()) -> u8 {
    let masks = both(bus, 1);
    set_masks(bus, masks | CANDIDATES);
    let before = requests(bus);
    provoke();
    let _ = bus.wait(SETTLE, || false);
    let risen = requests(bus) & !before & CANDIDATES;
    quiet();
    let _ = bus.wait(SETTLE, || false);
    set_masks(bus, masks);
    if risen.is_power_of_two() { risen.trailing_zeros() as u8 } else { 0 }
}
