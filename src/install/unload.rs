//! `/U`: asks the resident driver to go.

use core::mem::offset_of;

use super::dos::{peek, regs};
use super::hook::mask_line;
use super::hardware::ours;
use super::print::Hex;
use super::switches::Options;
use crate::bus::either::in_v86;
use crate::bus::real::address;
use crate::info::{FLAG_DEVICE, FLAG_MASKED, FLAG_V86, Info};
use crate::line;
use crate::probe::VECTORS;
use crate::resident::handle::Handle;

/// The vector that is meant: the one given, else 60h, else the only other one that we are on. None: there are several,
/// and a line has said so.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn meant(options: &Options) -> Option<u8> {
    if options.vector_given || ours(options.vector).is_some() {
        return Some(options.vector);
    }
    let mut found = None;
    for number in VECTORS {
        if ours(number).is_some() {
            if found.is_some() {
                line!(early!("the driver is loaded more than once; say which by /INT="));
                return None;
            }
            found = Some(number);
        }
    }
    Some(found.unwrap_or(options.vector))
}

/// Unloads our driver; the exit code.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
pub fn unload(options: &Options) -> u8 {
    let Some(vector) = meant(options) else { return 1 };
    let Some((info, nic)) = ours(vector) else {
        line!(early!("INT "), Hex(vector as u16), early!("h is not this driver's; give the vector it is on as /INT="));
        return 1;
    };
    // A handle, for the specification's sake: a type that no wire carries, with no receiver.
    let kind: [u8; 2] = [0xFF, 0xFF];
    let access = regs(0x0201);
    access.bx = 0xFFFF;
    access.cx = 2;
    access.si = &raw const kind as u32 as u16;
    access.es = 0;
    if access.interrupt(vector) {
        let handle = access.ax;
        let terminate = regs(0x0500);
        terminate.bx = handle;
        if terminate.interrupt(vector) {
            if info.flags & FLAG_MASKED != 0 {
                mask_line(nic.irq);
            }
            if info.flags & FLAG_DEVICE != 0 {
                line!(nic.name, early!(" stopped; its memory stays with DOS until the next boot (it came by DEVICE=)"));
            } else {
                line!(nic.name, early!(" unloaded"));
            }
            return 0;
        }
        let release = regs(0x0300);
        release.bx = handle;
        release.interrupt(vector);
        if !is_open(&info) {
            if info.flags & FLAG_V86 == 0 && in_v86() {
                line!(early!("a memory manager or a program came after the driver; unload that first"));
                return 1;
            }
            line!(early!("another program has hooked the driver's interrupts after it; unload that first"));
            return 1;
        }
    }
    line!(early!("a program still has the driver open; end it first"));
    1
}

/// Has a program a handle?
#[inline(never)]
#[unsafe(link_section = ".early_code")]
fn is_open(info: &Info) -> bool {
    let flags = |index| info.handles + index as u16 * info.handle_size as u16 + offset_of!(Handle, flags) as u16;
    (0..info.handle_count).any(|index| peek::<u8>(address(info.segment, flags(index))) & Handle::IN_USE != 0)
}
