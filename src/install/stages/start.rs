//! Starts the card, finds out whether it interrupts, and tells the core.

use super::place::starter;
use super::state::tell;
use super::vds;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::drivers::undi::BUFFER;
use crate::info;
use crate::install::dos::peek;
use crate::install::features::needs;
use crate::install::header::{Start, StartHeader, number};
use crate::install::kernel::{header, load, of_nic, unit};
use crate::install::plan::{DONE, FAILED, GOES, Plan};
use crate::install::print::{Dec, Print};
use crate::probe::Fault;
use crate::probe::undi::LEFT_OVER;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    match start(plan) {
        Some(()) => {
            tell(plan);
            plan.next = if plan.options.verbose { number::REPORT } else { DONE };
            if plan.old.state == GOES { number::STAND } else { number::HANDOVER }
        }
        None => FAILED,
    }
}

/// The start unit in slot B.
pub fn starter_unit() -> &'static StartHeader {
    // SAFETY: `start` read a unit to this place; nothing writes there while it is in use.
    unsafe { &*(header().slot_b as u32 as *const StartHeader) }
}

/// A ROM tells the card's address only when it runs: the unit has left it in the first buffer. Says whose code runs, and how
/// much of it stays.
#[inline(never)]
fn told(plan: &mut Plan) {
    let rings = &plan.placed.rings;
    plan.card.found.mac = peek(rings.linear.plus(rings.len as u16 - 2 * BUFFER));
    "3COMPKT: undi: through the card's ROM, ".print();
    plan.card.found.chip.get(2..).unwrap_or(&[]).print();
    if plan.card.found.variant == LEFT_OVER {
        ", which a network boot has left in memory\r\n".print();
        return;
    }
    let size = |kind: u8| Dec(plan.ground.blocks.iter().find(|block| block.kind == kind).map_or(0, |block| block.size));
    ": ".print();
    size(info::BLOCK_ROM_CODE).print();
    " bytes of its code and ".print();
    size(info::BLOCK_ROM_DATA).print();
    " of its data stay\r\n".print();
}

/// None: the plan has failed, and the card is at rest.
fn start(plan: &mut Plan) -> Option<()> {
    let start = unit(of_nic(plan.card.nic, starter(plan)))?;
    load(&start, code_segment(), header().slot_b)?;
    if plan.needs & needs::VDS != 0 {
        let rings = &mut plan.placed.rings;
        let Some(region) = vds::lock(rings.linear, rings.len) else {
            plan.fault(Fault::Unlocked);
            return None;
        };
        rings.physical = region.physical;
        plan.region = region;
    }
    let at = (header().slot_b + start.total + 3) & !3;
    let device = at as u32 as *mut u8;
    let found = &plan.card.found;
    let fault = Fault::from((starter_unit().start)(found, &Start { rings: plan.placed.rings, device }));
    if let Some(fault) = fault {
        // A card that does not answer does not do so in another way.
        plan.two_ways &= fault != Fault::Dead;
        plan.fault(fault);
        return None;
    }
    plan.device = at;
    if plan.is_rom() {
        told(plan);
    }
    let found = &plan.card.found;
    plan.placed.irq = if found.irq == 0 { 0 } else { (starter_unit().line)(found, device) };
    copy_far(own(device), address(plan.ground.segment, plan.placed.device), plan.placed.device_size);
    Some(())
}
