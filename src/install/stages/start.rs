//! Starts the card, finds out whether it interrupts, and tells the core.

use super::place::starter;
use super::state::tell;
use super::vds;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::install::features::needs;
use crate::install::header::{Start, StartHeader, number};
use crate::install::kernel::{header, load, of_nic, unit};
use crate::install::plan::{DONE, FAILED, GOES, Plan};
use crate::probe::Fault;

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
    plan.placed.irq = if found.irq == 0 { 0 } else { (starter_unit().line)(found, device) };
    copy_far(own(device), address(plan.ground.segment, plan.placed.device), plan.placed.device_size);
    Some(())
}
