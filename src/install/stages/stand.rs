//! The last stage: starts the card; then, when nothing can fail any more, tells the units where things are, has the core
//! call them, and hooks the vectors.

use core::mem::offset_of;

use super::about::{banner, head, nic};
use super::hook::{hook, irq_vector, line_masked};
use super::place::{STACK_CORE, starter};
use super::{pool, vds};
use crate::bus::Far;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::info::{self, Block};
use crate::install::dos::{fill, from_device, peek, poke, vector};
use crate::install::header::{Start, StartHeader, number};
use crate::install::kernel::{caller, header, load, unit};
use crate::install::plan::{DONE, FAILED, Plan};
use crate::probe::Fault;
use crate::resident::table::{
    CoreTable, ENTRIES, EOI_FIRST, EOI_SECOND, EOI_WRITE, FilterHeader, FlatHeader, NO_EOI, PENDING, POLLED, PollHeader, SPECIFIC_EOI,
    State, StatsHeader, VdsHeader,
};

/// The end of the receivers' share of the stack: what a call of INT 60h from inside an upcall takes, wherever the
/// receiver's stack is.
const STACK_SECOND: u16 = 136;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    let Some(device) = start(plan) else { return FAILED };
    let unit = starter_unit();
    let found = &plan.card.found;
    let irq = if found.irq == 0 { 0 } else { (unit.line)(found, device) };
    copy_far(own(device), address(plan.ground.segment, plan.placed.device), plan.placed.device_size);

    // Nothing fails from here on.
    let handler = attach(plan, irq);
    let blocks = plan.ground.next;
    last_block(plan);
    state(plan, irq, handler, blocks);
    let nic = nic(plan, irq);
    poke(address(plan.ground.segment, header().core.work), &nic);
    if plan.placed.pool != 0 {
        pool::stand(plan, &pool::pool_header(plan), irq == 0);
    }
    hook(plan.ground.segment, handler, &nic);
    (unit.unmask)(device);
    banner(plan, irq);
    DONE
}

/// The start unit in slot B.
fn starter_unit() -> &'static StartHeader {
    // SAFETY: `start` read a unit to this place; nothing writes there while it is in use.
    unsafe { &*(header().slot_b as u32 as *const StartHeader) }
}

/// Starts the card; the device, behind the start unit. None: the plan has failed.
#[inline(never)]
fn start(plan: &mut Plan) -> Option<*mut u8> {
    let start = unit(number::NICS + plan.card.nic * number::UNITS + starter(plan))?;
    load(&start, code_segment(), header().slot_b)?;
    if plan.placed.vds != 0 {
        let rings = &mut plan.placed.rings;
        let Some(region) = vds::lock(rings.linear, rings.len) else {
            plan.fault(Fault::Unlocked);
            return None;
        };
        rings.physical = region.physical;
        plan.region = region;
    }
    let device = ((header().slot_b + start.total + 3) & !3) as u32 as *mut u8;
    let fault = Fault::from((starter_unit().start)(&plan.card.found, &Start { rings: plan.placed.rings, device }));
    if let Some(fault) = fault {
        // A card that does not answer does not do so in another way.
        plan.two_ways &= fault != Fault::Dead;
        plan.fault(fault);
        return None;
    }
    Some(device)
}

/// Attaches the features; the handler for the card's interrupt, or for the timer's.
#[inline(never)]
fn attach(plan: &mut Plan, irq: u8) -> u16 {
    let (table, placed, segment) = (&header().core, plan.placed, plan.ground.segment);
    if placed.flat != 0 {
        flatten(plan, table);
    }
    if placed.stats != 0 {
        filter(segment, placed.stats, table);
        let header = StatsHeader { handles: placed.handles, getter: table.getter, known: table.known, table: placed.counts };
        poke(address(segment, placed.stats + size_of::<FilterHeader>() as u16), &header);
    }
    if placed.vds != 0 {
        let place = address(segment, placed.vds);
        let unit = VdsHeader { region: plan.region, ..peek(place) };
        poke(place, &unit);
        let [.., farewell] = table.patches;
        patch(segment, farewell, unit.farewell);
    }
    if placed.pool != 0 {
        return if irq == 0 { pool::pool_header(plan).tick } else { table.irq };
    }
    if irq != 0 {
        plan.ground.give_back(placed.poll);
        return table.irq;
    }
    let place = address(segment, placed.poll);
    let unit = PollHeader { entries: table.entries, driver: table.end - ENTRIES, ..peek(place) };
    poke(place, &unit);
    unit.handler
}

/// The last block: its top is the end of everything, on a paragraph. Below it lies the list of blocks, its own among them.
#[inline(never)]
fn last_block(plan: &mut Plan) {
    let ground = &mut plan.ground;
    let blocks = ground.next;
    let list = (ground.count as u16 + 1) * size_of::<Block>() as u16;
    let need = list + STACK_CORE + plan.placed.receivers;
    ground.take_last(info::BLOCK_STACK, need + ((blocks + need).wrapping_neg() & 15));
    for (index, block) in ground.blocks.iter().take(ground.count as usize).enumerate() {
        poke(address(ground.segment, blocks + index as u16 * size_of::<Block>() as u16), block);
    }
    fill(address(ground.segment, blocks + list), info::STACK_CANARY, ground.next - blocks - list);
}

/// Tells the core.
#[inline(never)]
fn state(plan: &Plan, irq: u8, handler: u16, blocks: u16) {
    let (table, segment, top) = (&header().core, plan.ground.segment, plan.ground.next);
    let stack = blocks + plan.ground.count as u16 * size_of::<Block>() as u16;
    let masked = irq != 0 && line_masked(irq);
    let state = State {
        device: plan.placed.device as u32,
        handles_size: plan.options.handles as u16 * 16,
        memory: if from_device() { 0 } else { caller().psp },
        stack_second: stack + STACK_SECOND,
        int_slot: plan.options.vector as u16 * 4,
        irq_slot: irq_vector(irq) as u16 * 4,
        irq_lone: masked as u8,
        unused: 0,
        old_irq: handler + 2,
        old_int60: Far(vector(plan.options.vector)),
        stack: top as u32 - 6,
        segment,
    };
    poke(address(segment, table.state), &state);
    let [sp, ss] = table.stack;
    poke(address(segment, sp), &(top - 6));
    poke(address(segment, ss), &(top - 2));
    if irq == 0 {
        poke(address(segment, PENDING), &POLLED);
    }
    let mut level = EOI_SECOND;
    if irq < 8 {
        poke(address(segment, table.eoi + EOI_WRITE), &NO_EOI);
        level = EOI_FIRST;
    }
    poke(address(segment, table.eoi + level), &(SPECIFIC_EOI | irq & 7));
    let mut info = head(plan, blocks, stack, masked);
    if plan.placed.pool != 0 {
        info.pool = pool::pool_header(plan).table;
    }
    poke(address(segment, table.info), &info);
}

/// Tells the flat feature where it lies and what to give back, and has the core call it.
#[inline(never)]
fn flatten(plan: &Plan, table: &CoreTable) {
    let segment = plan.ground.segment;
    let place = address(segment, plan.placed.flat);
    let mut flat = peek::<FlatHeader>(place);
    let base = address(segment, flat.base[0]).0;
    flat.base = [base as u16, (base >> 16) as u16];
    let block = plan.memory.block;
    flat.xms_handle = block.handle;
    flat.xms_entry = [block.entry as u16, (block.entry >> 16) as u16];
    flat.entries = table.end - ENTRIES;
    poke(place, &flat);
    for (number, at) in table.patches.iter().enumerate() {
        patch(segment, *at, peek(place.plus(2 * number as u16)));
    }
}

/// Puts a filter between the core and what it has called so far.
#[inline(never)]
fn filter(segment: u16, at: u16, table: &CoreTable) {
    let entries = address(segment, table.end - ENTRIES);
    let unit = address(segment, at);
    copy_far(entries, unit.plus(offset_of!(FilterHeader, below) as u16), ENTRIES);
    for entry in (0..ENTRIES).step_by(2) {
        let own: u16 = peek(unit.plus(entry));
        if own != 0 {
            poke(entries.plus(entry), &own);
        }
    }
}

/// Has the core call a feature.
#[inline(never)]
fn patch(segment: u16, at: u16, target: u16) {
    const CALL: u32 = 0xE8;
    let code = CALL | u32::from(target.wrapping_sub(at + 3)) << 8;
    // Three bytes of it.
    copy_far(own(&raw const code as *mut u8), address(segment, at), 3);
}
