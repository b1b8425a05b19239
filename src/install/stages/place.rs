//! Takes memory for all that stays, block behind block (core, driver, device, handles, features, rings, the poll feature,
//! stack), and reads the units there. The machine's vectors and the card are as they were.

use super::{extended, pool, vds};
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::address;
use crate::info::{self, Block};
use crate::install::dos::{fill, from_device};
use crate::install::header::{CORE_AT, number};
use crate::install::kernel::run::PSP_PARAS;
use crate::install::kernel::{caller, header, read, unit};
use crate::install::plan::{FAILED, Ground, Placed, Plan};
use crate::probe::{FLAT_INTX, FLAT_KEYBOARD, Fault, Found, Rings, isa_pnp};
use crate::resident::table::{BLOCKS, Stats, StatsRow};

/// Stack below the receivers' share: the core's own depth at an upcall.
pub const STACK_CORE: u16 = 86;

/// The most that the last block takes beside the receivers' share: the list of blocks, the core's depth, up to a paragraph's
/// end.
const LAST: u16 = (BLOCKS * size_of::<Block>()) as u16 + STACK_CORE + 15;

/// Where an EXE's image begins behind its PSP.
const PSP_SIZE: u16 = 0x10;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    match place(plan) {
        Some(()) => number::STAND,
        None => FAILED,
    }
}

fn place(plan: &mut Plan) -> Option<()> {
    let image = caller().load_segment;
    let segment = if from_device() { image } else { image - PSP_SIZE + PSP_PARAS };
    plan.ground = Ground::new(segment)?;
    plan.placed = Placed::NONE;
    core(plan)?;
    take_extended(plan);

    // What the card does above 1 MB, and what frames that wait do there.
    let card_flat = plan.memory.rings != 0 || plan.card.found.mem != 0 && !in_v86();
    let flat = card_flat || plan.memory.block.linear != 0;
    let own = number::NICS + plan.card.nic * number::UNITS;
    plan.driver(own + driver(&plan.card.found, card_flat))?;
    plan.placed.device_size = unit(own + starter(plan))?.instance;
    plan.placed.device = plan.zeros(info::BLOCK_INSTANCE, plan.placed.device_size)?;
    let handles = plan.options.handles as usize;
    plan.placed.handles = plan.zeros(info::BLOCK_HANDLES, handles as u16 * 16)?;
    if flat {
        plan.placed.flat = plan.feature(match plan.card.found.flat {
            FLAT_INTX => number::FLATI,
            FLAT_KEYBOARD => number::FLATK,
            _ => number::FLAT,
        })?;
    }
    if plan.options.stats {
        plan.placed.stats = plan.feature(number::STATS)?;
        plan.placed.counts = plan.zeros(info::BLOCK_STATS, (size_of::<Stats>() + handles * size_of::<StatsRow>()) as u16)?;
    }
    plan.placed.receivers = plan.options.stack;
    if plan.options.waits {
        plan.placed.receivers += pool::place(plan)?;
    }
    rings(plan)?;
    if !card_flat && plan.card.found.rings_low != 0 {
        services(plan)?;
    }
    // Whether the card has to be polled shows only when it runs, and nothing may fail then: the feature is loaded to where
    // it would lie, and there is room for the last block behind it. The pool polls by itself.
    if !plan.options.waits {
        plan.placed.poll = plan.feature(number::POLL)?;
    }
    plan.reserve(LAST + plan.placed.receivers)?;
    Some(())
}

/// The core, read once more: what an attempt before this one has changed in it is gone.
fn core(plan: &mut Plan) -> Option<()> {
    let (bytes, end) = (header().core_bytes, header().core.end);
    plan.take(info::BLOCK_CORE, end)?;
    let at = address(plan.ground.segment, 0);
    read(CORE_AT, at, bytes)?;
    fill(at.plus(bytes), 0, end - bytes);
    Some(())
}

/// Extended memory for the card's rings, if it can reach them there, and for frames that wait.
fn take_extended(plan: &mut Plan) {
    let memory = extended::memory(&plan.options, plan.card.found.rings_xms);
    plan.memory = memory;
    if memory.rings != 0 && !plan.card.is_pci && memory.block.linear > isa_pnp::REACH - memory.rings {
        memory.block.free();
        plan.memory = extended::memory(&plan.options, 0);
    }
}

/// The driver's unit: one with rings has a second one for conventional memory, as one with registers in memory has for V86
/// mode. Where a card does without rings as well, the first unit is for that.
fn driver(found: &Found, flat: bool) -> u8 {
    match flat {
        true if found.plain => number::DRIVER_X,
        false if found.mem != 0 || found.rings_low != 0 => number::DRIVER_V,
        _ => number::DRIVER,
    }
}

/// The unit that starts the card.
pub fn starter(plan: &Plan) -> u8 {
    if plan.two_ways { number::START_X } else { number::START }
}

/// Where the card's rings go: extended memory, or below 1 MB when there is none.
#[inline(never)]
fn rings(plan: &mut Plan) -> Option<()> {
    let rings = plan.memory.rings;
    let low = plan.card.found.rings_low;
    plan.placed.rings = if rings != 0 {
        let kilobytes = ((rings + 1023) >> 10) as u16;
        plan.ground.note(Block { kind: info::BLOCK_RINGS, place: 1, size: kilobytes });
        let linear = plan.memory.block.linear;
        Rings { linear: Addr(linear), physical: linear, len: rings }
    } else {
        let mut linear = Addr(0);
        if low != 0 {
            // Descriptors want a boundary of 16 at least.
            let pad = plan.ground.next.wrapping_neg() & 15;
            let at = plan.zeros(info::BLOCK_RINGS, pad + low)?;
            linear = address(plan.ground.segment, at + pad);
        }
        Rings { linear, physical: linear.0, len: low as u32 }
    };
    Some(())
}

/// Rings below 1 MB: the Virtual DMA Services tell where the card finds them, if there are such services.
#[inline(never)]
fn services(plan: &mut Plan) -> Option<()> {
    if vds::present() {
        plan.placed.vds = plan.feature(number::VDS)?;
    } else if in_v86() {
        plan.fault(Fault::Hidden);
        return None;
    }
    Some(())
}
