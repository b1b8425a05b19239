//! `/U`: asks the resident driver to go.

use super::dos::{Regs, interrupt};
use super::hardware::ours;
use super::print::Hex;
use crate::bus::real::code_segment;
use crate::info::FLAG_DEVICE;
use crate::line;

/// Unloads our driver from `vector`; the exit code.
#[inline(never)]
pub fn unload(vector: u8) -> u8 {
    let Some((info, nic)) = ours(vector) else {
        line!("INT ", Hex(vector as u32), "h is not this driver's; give the vector it is on as /INT=");
        return 1;
    };
    // A handle, for the specification's sake: a type that no wire carries, with no receiver.
    let kind: [u8; 2] = [0xFF, 0xFF];
    let mut regs = Regs::new(0x0201);
    regs.bx = 0xFFFF;
    regs.cx = 2;
    regs.si = &raw const kind as u32;
    regs.es = 0;
    interrupt(vector, &mut regs);
    let handle = regs.ax & 0xFFFF;
    if !regs.carry() {
        regs = Regs { bx: handle, ds: code_segment(), ..Regs::new(0x0500) };
        interrupt(vector, &mut regs);
        if !regs.carry() {
            if info.flags & FLAG_DEVICE != 0 {
                line!(nic.name, " stopped; its memory stays with DOS until the next boot (it came by DEVICE=)");
            } else {
                line!(nic.name, " unloaded");
            }
            return 0;
        }
        let error = (regs.dx >> 8) as u8;
        interrupt(vector, &mut Regs { bx: handle, ..Regs::new(0x0300) });
        if error != 7 || others_hooked(vector, info.segment) {
            line!("another program has hooked the driver's interrupts after it; unload that first");
            return 1;
        }
    }
    line!("a program still has the driver open; end it first");
    1
}

fn others_hooked(vector: u8, segment: u16) -> bool {
    super::dos::vector(vector) >> 16 != segment as u32
}
