//! Frames that wait: which form of the pool, how large, and what it is told.

use crate::bus::real::address;
use crate::info::{self, Block};
use crate::install::dos::{far_call, fill, peek};
use crate::install::header::number;
use crate::install::kernel::{header, say};
use crate::install::lines::Line;
use crate::install::plan::Plan;
use crate::memory::SLOT;
use crate::resident::table::{PoolHeader, PoolStart};

/// Stack that the pool takes below an upcall; and what an XMS driver may ask for (XMS 3.0), which is not called inside
/// one.
const STACK: u16 = 64;
const STACK_XMS: u16 = 256;

/// Places the pool, with the slots that there are in extended memory; the stack that it takes beside the core's.
#[inline(never)]
pub fn place(plan: &mut Plan) -> Option<u16> {
    let (mut form, mut size, mut stack) = (number::POOL, plan.options.cache, STACK);
    let slots = plan.memory.slots;
    if slots == 0 {
        form = number::POOLC;
        // Smaller rather than not at all.
        size = if plan.ground.has_room(plan.options.migrate) { plan.options.migrate } else { SLOT };
        say(Line::NoXms, b" ", 0);
    } else {
        if plan.memory.block.linear == 0 {
            form = number::POOLV;
            stack += STACK_XMS;
        }
        plan.ground.note(Block { kind: info::BLOCK_BUFFERS, place: 1, size: (slots as u16 * (SLOT / 512)).div_ceil(2) });
    }
    plan.placed.pool = plan.feature(form)?;
    plan.placed.buffers = plan.take(info::BLOCK_BUFFERS, size)?;
    plan.placed.buffers_end = plan.ground.next;
    Some(stack)
}

/// The pool's header.
pub fn pool_header(plan: &Plan) -> PoolHeader {
    peek(address(plan.ground.segment, plan.placed.pool))
}

/// Has the pool take its places before the driver and in the core; nothing can fail any more.
#[inline(never)]
pub fn stand(plan: &Plan, unit: &PoolHeader, polled: bool) {
    let (memory, placed, segment) = (&plan.memory, &plan.placed, plan.ground.segment);
    let how = PoolStart {
        core: &raw const header().core as u32 as u16,
        polled: polled as u16,
        start: placed.buffers,
        end: placed.buffers_end,
        migrate: plan.options.migrate,
        slots: memory.slots as u16,
        handle: memory.block.handle,
        unused: 0,
        xms: memory.block.entry,
        linear: memory.block.linear + memory.rings,
    };
    far_call((segment as u32) << 16 | unit.once as u32, 0, &raw const how as u32 as u16, 0);
    // That was done by what lay where the tables are.
    fill(address(segment, unit.tables), 0, placed.buffers - unit.tables);
}
