//! `/U`: asks the resident driver to go.

use core::mem::offset_of;

use super::chain::Chains;
use super::copies::ours;
use super::hook::mask_line;
use super::switches::Options;
use crate::bus::real::address;
use crate::info::{FLAG_DEVICE, FLAG_MASKED, Info};
use crate::install::dos::{peek, regs, uninterrupted};
use crate::install::kernel::say;
use crate::install::lines::Line;
use crate::install::plan::{Plan, QUIT};
use crate::probe::VECTORS;
use crate::resident::handle::Handle;

/// The vector that is meant: the one given, else 60h, else the only other one that we are on. None: there are several,
/// and a line has said so.
#[inline(never)]
pub fn meant(options: &Options) -> Option<u8> {
    if options.vector_given || ours(options.vector).is_some() {
        return Some(options.vector);
    }
    // Its vector and segment. A copy may have several vectors.
    let mut found = None;
    for number in VECTORS {
        if let Some((info, _)) = ours(number) {
            if found.is_some_and(|(_, segment)| segment != info.segment) {
                say(Line::Several, b" ", 0);
                return None;
            }
            found.get_or_insert((number, info.segment));
        }
    }
    Some(found.map_or(options.vector, |(number, _)| number))
}

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    unload(&plan.options);
    QUIT
}

/// Unloads our driver, or says why not.
#[inline(never)]
fn unload(options: &Options) {
    let Some(vector) = meant(options) else { return };
    let Some((info, nic)) = ours(vector) else {
        say(Line::NotOurs, b" ", vector as u16);
        return;
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
        let mut chains = Chains::new(&info, &nic);
        let gone = uninterrupted(|| {
            chains.put_us_on_top();
            let terminate = regs(0x0500);
            terminate.bx = handle;
            let gone = terminate.interrupt(vector);
            chains.put_back(gone);
            gone
        });
        if gone {
            if info.flags & FLAG_MASKED != 0 {
                mask_line(nic.irq);
            }
            say(if info.flags & FLAG_DEVICE != 0 { Line::Stopped } else { Line::Unloaded }, &nic.name, 0);
            return;
        }
        let release = regs(0x0300);
        release.bx = handle;
        release.interrupt(vector);
        if !is_open(&info) {
            chains.complain(&info);
            return;
        }
    }
    say(Line::Open, b" ", 0);
}

/// Has a program a handle?
#[inline(never)]
fn is_open(info: &Info) -> bool {
    let flags = |index| info.handles + index as u16 * info.handle_size as u16 + offset_of!(Handle, flags) as u16;
    (0..info.handle_count).any(|index| peek::<u8>(address(info.segment, flags(index))) & (Handle::IN_USE | Handle::HIDDEN) != 0)
}
