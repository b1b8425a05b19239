//! Starts the card, finds out whether it interrupts, and tells the core.

use super::gather::{gathered_at, nic_at};
use super::place::starter;
use super::state::tell;
use super::vds;
use super::xms::entry as xms_entry;
use crate::bus::real::{Machine, address, code_segment, copy_far, own};
use crate::drivers::undi::BUFFER;
use crate::info::NOT_PCI;
use crate::install::dos::peek;
use crate::install::features::needs;
use crate::install::header::{Start, StartHeader, Unit, number};
use crate::install::kernel::{header, load, of_nic, unit};
use crate::install::plan::{DONE, FAILED, GOES, Plan, QUIT, STARTED, UNDO, XmsBlock};
use crate::probe::{Fault, pci};

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    if plan.several.step == UNDO {
        return undo(plan);
    }
    match start(plan) {
        Some(()) if plan.several.count != 0 => {
            plan.several.step = STARTED;
            number::KEEP
        }
        Some(()) => {
            tell(plan);
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

/// Where the start unit in slot B has the device that it writes: behind itself.
fn behind(starter: &Unit) -> u16 {
    (header().slot_b + starter.total + 3) & !3
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
    let at = behind(&start);
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
    plan.next = if plan.options.verbose { number::REPORT } else { DONE };
    if plan.is_rom() {
        plan.next = number::REPORT;
        plan.placed.polled = true;
        // It tells the card's address only when it runs: the unit has left it in the first buffer.
        let rings = &plan.placed.rings;
        plan.card.found.mac = peek(rings.linear.plus(rings.len as u16 - 2 * BUFFER));
    }
    let found = &plan.card.found;
    plan.placed.irq = if found.irq == 0 { 0 } else { (starter_unit().line)(found, device) };
    plan.placed.polled |= plan.placed.irq == 0;
    copy_far(own(device), address(plan.ground.segment, plan.placed.device), plan.placed.device_size);
    Some(())
}

/// Stops the cards that were started, one after the other, and gives back what was taken for them.
#[inline(never)]
fn undo(plan: &mut Plan) -> u8 {
    while plan.several.done != 0 {
        plan.several.done -= 1;
        let at = plan.record(plan.several.done);
        let (nic, gathered) = (nic_at(at), gathered_at(at));
        if let Some(unit) = unit(of_nic(gathered.nic, number::START))
            && load(&unit, code_segment(), header().slot_b).is_some()
        {
            let device = behind(&unit) as u32 as *mut u8;
            copy_far(address(plan.ground.segment, nic.device), own(device), unit.table);
            (starter_unit().stop)(device);
        }
        if nic.pci != NOT_PCI {
            pci::set_command(&Machine, nic.pci, gathered.command);
        }
        XmsBlock { entry: xms_entry(), handle: nic.xms, linear: 0 }.free();
    }
    QUIT
}
