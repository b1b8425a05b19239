//! Interrupt controllers, and the vectors of their lines.

use crate::bus::Bus;
use crate::bus::real::Machine;

/// The port of the first controller's mask; the second one's is 80h behind it.
pub const PIC1_MASK: u16 = 0x21;
const PIC2_MASK: u16 = 0xA1;

/// Is the interrupt line masked in its controller? Then it has no owner but the BIOS's dummy.
pub fn line_masked(line: u8) -> bool {
    let mask = u16::from_le_bytes([Machine.in8(PIC1_MASK), Machine.in8(PIC2_MASK)]);
    mask & 1 << line != 0
}

/// Masks it.
#[inline(never)]
pub fn mask_line(line: u8) {
    let (port, bit) = if line < 8 { (PIC1_MASK, line) } else { (PIC2_MASK, line - 8) };
    Machine.out8(port, Machine.in8(port) | 1 << (bit & 7));
}

/// Lets it interrupt.
pub fn unmask_line(line: u8) {
    if line >= 8 {
        Machine.out8(PIC2_MASK, Machine.in8(PIC2_MASK) & !(1 << (line - 8)));
        // The second PIC hangs on line 2 of the first.
        Machine.out8(PIC1_MASK, Machine.in8(PIC1_MASK) & !(1 << 2));
    } else {
        Machine.out8(PIC1_MASK, Machine.in8(PIC1_MASK) & !(1 << line));
    }
}

/// The vector of an interrupt line.
pub fn irq_vector(irq: u8) -> u8 {
    if irq < 8 { 8 + irq } else { 0x68 + irq }
}
