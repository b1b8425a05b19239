//! Vectors and interrupt controllers.

use crate::bus::Bus;
use crate::bus::real::{Machine, address};
use crate::info::NicInfo;
use crate::install::dos::{poke, regs, vector};
use crate::install::kernel::header;

const PIC1_MASK: u16 = 0x21;
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

fn unmask_line(line: u8) {
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

/// Sets an interrupt vector.
#[inline(never)]
fn set_vector(number: u8, segment: u16, offset: u16) {
    let regs = regs(0x2500 | number as u16);
    regs.ds = segment;
    regs.dx = offset;
    regs.interrupt(0x21);
}

/// Hooks the packet driver's vector and the NIC's, for which `handler` is an IISP header.
#[inline(never)]
pub fn hook(segment: u16, handler: u16, nic: &NicInfo) {
    set_vector(nic.vector, segment, header().core.int60);
    // Line 0 is the timer's: a NIC without a line is polled.
    let number = irq_vector(nic.irq);
    poke(address(segment, handler + 2), &vector(number));
    set_vector(number, segment, handler);
    if nic.irq != 0 {
        unmask_line(nic.irq);
    }
}
