//! Reads serial EEPROMs with a Microwire interface (93C46, 93C66) bit by bit. Probes call it.

/// Clock.
const SK: u8 = 1 << 0;
/// Chip select.
const CS: u8 = 1 << 1;
/// Data to the EEPROM.
const DI: u8 = 1 << 2;
/// Data from the EEPROM.
pub const DO: u8 = 1 << 3;
/// A start bit, then 10: read.
const READ: u16 = 6;

/// The four wires of a card, with the bits of Intel's cards.
pub trait Wires {
    /// Sets clock, select and data, and waits half a microsecond.
    fn set(&self, wires: u8);
    /// The EEPROM's data.
    fn output(&self) -> bool;
}

/// One clock cycle with this bit to the EEPROM; returns the EEPROM's data while the clock is high.
fn clock(wires: &impl Wires, bit: bool) -> bool {
    let low = CS | if bit { DI } else { 0 };
    wires.set(low);
    wires.set(low | SK);
    let output = wires.output();
    wires.set(low);
    output
}

/// The number of address bits, 6 or 8: the EEPROM answers 0 when it has them all.
#[inline(never)]
pub fn address_bits(wires: &impl Wires) -> u8 {
    wires.set(0);
    for bit in [true, true, false] {
        clock(wires, bit);
    }
    let mut bits = 0;
    while bits < 8 && wires.output() {
        clock(wires, false);
        bits += 1;
    }
    wires.set(0);
    if bits <= 6 { 6 } else { 8 }
}

/// Reads a word.
#[inline(never)]
pub fn read(wires: &impl Wires, address_bits: u8, address: u8) -> u16 {
    wires.set(0);
    let command = READ << address_bits | address as u16;
    for bit in (0..address_bits + 3).rev() {
        clock(wires, command >> bit & 1 != 0);
    }
    let word = (0..16).fold(0, |word, _| word << 1 | clock(wires, false) as u16);
    wires.set(0);
    word
}
