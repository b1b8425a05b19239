//! Which PCI functions there are, in the order of bus, device, function.

use super::dos::regs;
use crate::bus::Bus;
use crate::bus::real::Machine;
use crate::probe::pci;

const ADDRESS: u16 = 0xCF8;
const ENABLE: u32 = 1 << 31;

/// The last bus, by the BIOS; all buses where there is none but configuration mechanism 1 answers; None: no PCI.
fn last_bus() -> Option<u8> {
    let regs = regs(0xB101);
    if regs.interrupt(0x1A) && regs.ax & 0xFF00 == 0 && regs.dx == u16::from_le_bytes(*b"PC") {
        return Some(regs.cx as u8);
    }
    Machine.out32(ADDRESS, ENABLE);
    (Machine.in32(ADDRESS) == ENABLE).then_some(u8::MAX)
}

/// Calls `visit` with each function's place and identity until it gives something.
pub fn find<T>(mut visit: impl FnMut(u16, u32) -> Option<T>) -> Option<T> {
    let last = last_bus()?;
    for bus in 0..=last {
        for device in 0..32u16 {
            let first = (bus as u16) << 8 | device << 3;
            if pci::id(&Machine, first) as u16 == u16::MAX {
                continue;
            }
            // Bit 23 of the register with the header's kind: the device has more than one function.
            let many = Machine.config_read(first, 0x0C) & 1 << 23 != 0;
            for place in first..=first + if many { 7 } else { 0 } {
                let id = pci::id(&Machine, place);
                if id as u16 != u16::MAX && let Some(found) = visit(place, id) {
                    return Some(found);
                }
            }
        }
    }
    None
}
