//! What the core is told, once it is known whether the card interrupts: it is written to the core that was placed, which
//! does not run yet.

use core::mem::offset_of;

use super::about::{head, nic};
use super::hook::{irq_vector, line_masked};
use crate::bus::Far;
use crate::bus::real::address;
use crate::info::{self, Block};
use crate::install::dos::{fill, from_device, poke, vector};
use crate::install::features::needs;
use crate::install::kernel::{caller, header};
use crate::install::plan::Plan;
use crate::resident::table::{EOI_FIRST, EOI_SECOND, EOI_WRITE, NO_EOI, PENDING, POLLED, SPECIFIC_EOI, STACK_CORE, STACK_SECOND, State};

/// Tells the core, and takes the last block.
pub fn tell(plan: &mut Plan) {
    if !plan.placed.polled {
        give_back(plan);
    }
    let blocks = plan.ground.next;
    last_block(plan);
    state(plan, blocks);
}

/// Gives back the features that a card without an interrupt needs, the last ones of all.
#[inline(never)]
pub fn give_back(plan: &mut Plan) {
    if !plan.options.waits {
        plan.needs &= !needs::TICK;
    }
    // The first one is the driver.
    while let Some(last) = plan.placed.features.get((plan.placed.count as usize).wrapping_sub(1)) {
        if last.needs == u32::MAX || last.needs & plan.needs != 0 {
            break;
        }
        plan.ground.next = last.at;
        plan.ground.count -= 1;
        plan.placed.count -= 1;
    }
}

/// The last block: its top is the end of everything, on a paragraph. Below it lies the list of blocks, its own among them.
#[inline(never)]
fn last_block(plan: &mut Plan) {
    let ground = &mut plan.ground;
    let blocks = ground.next;
    let list = (ground.count as u16 + 1) * size_of::<Block>() as u16;
    let need = list + STACK_CORE + plan.placed.receivers;
    let size = need + ((blocks + need).wrapping_neg() & 15);
    ground.next += size;
    ground.note(Block { kind: info::BLOCK_STACK, place: 0, size });
    for (index, block) in ground.blocks.iter().take(ground.count as usize).enumerate() {
        poke(address(ground.segment, blocks + index as u16 * size_of::<Block>() as u16), block);
    }
    fill(address(ground.segment, blocks + list), info::STACK_CANARY, ground.next - blocks - list);
}

/// Tells the core.
#[inline(never)]
fn state(plan: &Plan, blocks: u16) {
    let (table, segment, top, irq) = (&header().core, plan.ground.segment, plan.ground.next, plan.placed.irq);
    let stack = blocks + plan.ground.count as u16 * size_of::<Block>() as u16;
    let masked = irq != 0 && (line_masked(irq) || plan.old.masked);
    let int_slot = plan.options.vector as u16 * 4;
    // Without an interrupt the core has nothing to give back: it does so twice with the other vector.
    let (irq_slot, old_irq) = match irq {
        0 => (int_slot, table.state + offset_of!(State, old_int60) as u16),
        _ => (irq_vector(irq) as u16 * 4, table.irq + 2),
    };
    let state = State {
        device: plan.placed.device as u32,
        handles_size: plan.options.handles as u16 * 16,
        memory: if from_device() { 0 } else { caller().psp },
        // An entry from a receiver on a stack of its own runs the features, too: it finds what they need below an upcall.
        stack_second: stack + STACK_SECOND + (plan.placed.receivers - plan.options.stack),
        int_slot,
        irq_slot,
        irq_lone: masked as u8,
        burst: plan.options.burst,
        old_irq,
        old_int60: Far(vector(plan.options.vector)),
        stack: top as u32 - 6,
        segment,
    };
    poke(address(segment, table.state), &state);
    let [sp, ss] = table.stack;
    poke(address(segment, sp), &(top - 6));
    poke(address(segment, ss), &(top - 2));
    if plan.placed.polled {
        poke(address(segment, PENDING), &POLLED);
    }
    let mut level = EOI_SECOND;
    if irq < 8 {
        poke(address(segment, table.eoi + EOI_WRITE), &NO_EOI);
        level = EOI_FIRST;
    }
    poke(address(segment, table.eoi + level), &(SPECIFIC_EOI | irq & 7));
    poke(address(segment, table.info), &head(plan, blocks, stack, masked));
    poke(address(segment, table.work), &nic(plan));
}
