//! Takes memory for all that stays, block behind block (core, driver, device, handles, rings, features, stack), and reads the
//! units there. The machine's vectors and the card are as they were.

use super::extended;
use super::vds::is_there;
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::{Machine, address};
use crate::bond::flows::Flow;
use crate::drivers::undi::BUFFER;
use crate::info::{self, Block};
use crate::install::dos::{far, fill, from_device, peek, poke, regs};
use crate::install::features::{NICS, Table, needs};
use crate::install::header::{BUFFERS, CORE_AT, number};
use crate::install::kernel::run::PSP_PARAS;
use crate::install::kernel::{caller, header, of_nic, read, say, unit};
use crate::install::lines::Line;
use crate::install::plan::{FAILED, Feature, GOES, Ground, Plan};
use crate::lacp;
use crate::device::MAX_FRAME;
use crate::memory::{FRAMES, SLOT, rounded};
use crate::probe::undi::{self, Image};
use crate::probe::{Fault, Found, NO_XMS, Rings, isa_pnp, pci};
use crate::resident::table::{BLOCKS, ENTRIES, STACK_CORE};

/// The most that the last block takes beside the receivers' share: the list of blocks, the core's depth, up to a paragraph's
/// end.
pub const LAST: u16 = (BLOCKS * size_of::<Block>()) as u16 + STACK_CORE + 15;

/// More than the features behind the pool take, and the pool of the stack.
const BEHIND: u16 = 256;
/// The most bytes that frames take in conventional memory.
const ARENA: u16 = FRAMES as u16 * rounded(MAX_FRAME);
/// The highest offset of their end: src/memory/arena.rs adds a frame's bytes to near addresses.
const ARENA_END: u16 = u16::MAX - rounded(MAX_FRAME);

/// Where an EXE's image begins behind its PSP.
pub const PSP_SIZE: u16 = 0x10;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    match place(plan) {
        Some(()) => number::START_CARD,
        None => FAILED,
    }
}

fn place(plan: &mut Plan) -> Option<()> {
    let image = caller().load_segment;
    let segment = if from_device() { image } else { image - PSP_SIZE + PSP_PARAS };
    plan.ground = Ground::new(segment, if plan.old.state == GOES { number::STAND } else { number::HANDOVER })?;
    core(plan)?;
    take_extended(plan);
    // What the card does above 1 MB.
    let flat = plan.memory.rings != 0 || plan.card.found.mem != 0 && !in_v86();
    let number = of_nic(plan.card.nic, driver(&plan.card.found, flat));
    let unit = unit(number)?;
    needs(plan, flat, unit.needs)?;

    plan.driver(&unit)?;
    plan.placed.count = 0;
    plan.list(Feature { number, needs: u32::MAX, at: header().core.end - ENTRIES, table: Table::default(), hooks: 0 });
    plan.placed.device_size = self::unit(of_nic(plan.card.nic, starter(plan)))?.table;
    plan.placed.device = plan.zeros(info::BLOCK_INSTANCE, plan.placed.device_size)?;
    align(plan)?;
    plan.placed.handles = plan.zeros(info::BLOCK_HANDLES, plan.options.handles as u16 * HANDLE)?;
    rings::<true>(plan)?;
    plan.placed.receivers = plan.options.stack;
    features(plan)?;
    plan.reserve(LAST + plan.placed.receivers)?;
    Some(())
}

/// With `/REPLACE`, the handle table begins where the other copy's does, or a feature changes the handles' numbers.
#[inline(never)]
fn align(plan: &mut Plan) -> Option<()> {
    if plan.old.handles > plan.ground.next {
        let pad = plan.old.handles - plan.ground.next;
        plan.zeros(info::BLOCK_INSTANCE, pad)?;
    } else if plan.old.handles != 0 && plan.old.handles != plan.ground.next {
        plan.needs |= needs::SHIFT;
    }
    Some(())
}

/// Bytes of a handle.
pub const HANDLE: u16 = 16;

/// What holds of the machine, the card and the switches. `copies`: what copies frames between the card and XMS.
#[inline(never)]
fn needs(plan: &mut Plan, card_flat: bool, copies: u32) -> Option<()> {
    let mut all = plan.options.needs;
    if card_flat || plan.memory.block.linear != 0 {
        all |= needs::of_flat(plan.card.found.flat);
    }
    if plan.options.waits {
        let real = plan.memory.block.linear != 0;
        all |= if plan.memory.pool.slots == 0 || real && copies == 0 {
            plan.memory.pool.slots = 0;
            say(Line::NoXms, b" ", 0);
            needs::POOLC
        } else if real {
            if plan.options.cache != 0 {
                say(Line::NoCache, b" ", 0);
            }
            copies
        } else {
            needs::POOLV
        };
    }
    if !card_flat && plan.card.found.rings_low != 0 {
        if is_there() {
            all |= needs::VDS;
        } else if in_v86() {
            plan.fault(Fault::Hidden);
            return None;
        }
    }
    // Whether the card has to be polled shows only when it runs, and nothing may fail then: what that needs is placed, the
    // last of all, and given back if need be.
    plan.needs = needs::timer(all, plan.options.waits, true);
    Some(())
}

/// Places the features that are needed, with their tables.
pub fn features(plan: &mut Plan) -> Option<()> {
    let slots = plan.memory.pool.slots;
    if slots != 0 {
        plan.ground.note(Block { kind: info::BLOCK_BUFFERS, place: 1, size: (slots * (SLOT / 512)).div_ceil(2) });
    }
    for number in number::FEATURES..number::FEATURES + header().features {
        let unit = unit(number)?;
        if unit.needs & plan.needs == 0 {
            continue;
        }
        let at = plan.read(unit.block, &unit, 0)?;
        if unit.block == info::BLOCK_REAP && !tell_of_dos(address(plan.ground.segment, at)) {
            plan.fail(Line::NoProgram, 0);
            return None;
        }
        let mut table = Table { at: plan.ground.next, ..Table::default() };
        plan.placed.receivers += unit.stack;
        if unit.table == NICS {
            let several = &plan.several;
            table.at = if unit.block == info::BLOCK_MANY { several.nics } else { several.interfaces };
            table.end = table.at + several.count as u16 * unit.per_handle as u16;
            plan.list(Feature { number, needs: u32::MAX, at, table, hooks: 0 });
            continue;
        }
        if unit.table_block != 0 {
            let size = match unit.table {
                BUFFERS if unit.block == info::BLOCK_FLOWS => plan.bond.flows * Flow::SIZE,
                BUFFERS if unit.block == info::BLOCK_LACP => lacp::HEAD + plan.several.count as u16 * lacp::PORT,
                BUFFERS => buffers(plan),
                bytes => bytes + unit.per_handle as u16 * plan.options.handles as u16,
            };
            table.at = plan.zeros(unit.table_block, size)?;
        }
        table.end = plan.ground.next;
        table.bias = table.at.wrapping_sub(plan.placed.handles / 4);
        plan.list(Feature { number, needs: unit.needs, at, table, hooks: 0 });
    }
    Some(())
}

/// What the reap feature has to know of DOS: fills in the first fields of its unit (asm/reap.asm). False: DOS does not say where it
/// has the PSP of the program that runs. It is in the swappable data area, from DOS 3.1 on.
#[inline(never)]
fn tell_of_dos(unit: Addr) -> bool {
    /// Its offset there.
    const PSP: u16 = 0x10;
    let area = regs(0x5D06);
    let known = area.interrupt(0x21);
    let at = (area.ds as u32) << 16 | area.si.wrapping_add(PSP) as u32;
    let now = regs(0x6200);
    now.interrupt(0x21);
    let known = known && peek::<u16>(far(at)) == now.bx;
    let lists = regs(0x5200);
    lists.interrupt(0x21);
    poke(unit, &at);
    poke(unit.plus(4), &peek::<u16>(address(lists.es, lists.bx.wrapping_sub(2))));
    known
}

impl Plan {
    /// Lists the driver or a feature that was placed.
    #[inline(never)]
    fn list(&mut self, feature: Feature) {
        if let Some(slot) = self.placed.features.get_mut(self.placed.count as usize) {
            *slot = feature;
            self.placed.count += 1;
        }
    }
}

/// Bytes of packet buffers below 1 MB.
#[inline(never)]
fn buffers(plan: &Plan) -> u16 {
    if plan.memory.pool.slots != 0 {
        return match plan.options.cache {
            0 if plan.options.compact => SLOT,
            0 => 4096,
            bytes => bytes,
        };
    }
    // Smaller rather than not at all. No more than all frames take, nor so far up that the sum of a near address and a frame
    // has more than 16 bits.
    let most = plan.ground.room(BEHIND + LAST + plan.placed.receivers).min(ARENA_END.saturating_sub(plan.ground.next)).min(ARENA) & !3;
    if plan.options.migrate <= most {
        return plan.options.migrate;
    }
    let bytes = most.max(SLOT);
    say(Line::Fewer, b" ", bytes);
    bytes
}

/// The core, read once more: what an attempt before this one has changed in it is gone.
pub fn core(plan: &mut Plan) -> Option<()> {
    let (bytes, end) = (header().core_bytes, header().core.end);
    plan.take(info::BLOCK_CORE, end)?;
    let at = address(plan.ground.segment, 0);
    read(CORE_AT, at, bytes)?;
    fill(at.plus(bytes), 0, end - bytes);
    Some(())
}

/// Extended memory for the card's rings, if it can reach them there, and for frames that wait.
pub fn take_extended(plan: &mut Plan) {
    let memory = extended::memory(&plan.options, plan.card.found.rings_xms);
    plan.memory = memory;
    if memory.rings != 0 && !plan.card.is_pci && memory.block.linear > isa_pnp::REACH - memory.rings {
        memory.block.free();
        // Its rings lie below 1 MB then, which no unit copies to XMS from.
        plan.memory = extended::memory(&plan.options, NO_XMS);
    }
}

/// The driver's unit: one with rings has a second one for conventional memory, as one with registers in memory has for V86
/// mode. Where a card does without rings as well, the first unit is for that.
pub fn driver(found: &Found, flat: bool) -> u8 {
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

/// The memory of a card's ROM: its data and code, unless a network boot has left them elsewhere; its stack; two buffers.
#[inline(never)]
fn by_rom(plan: &mut Plan, pad: u16) -> Option<()> {
    let mut stack = undi::STACK + pad;
    if plan.card.found.variant & undi::LEFT_OVER == 0 {
        let rom = Image::find(&Machine, pci::id(&Machine, plan.card.found.pci)).ok()?;
        plan.zeros(info::BLOCK_ROM_DATA, pad + rom.data)?;
        plan.zeros(info::BLOCK_ROM_CODE, rom.code)?;
        stack -= pad;
    }
    plan.zeros(info::BLOCK_ROM_STACK, stack)?;
    plan.zeros(info::BLOCK_ROM_FRAMES, 2 * BUFFER)?;
    Some(())
}

/// Where the card's rings go: extended memory, or below 1 MB when there is none. `ROM`: it may be a card that its ROM drives.
#[inline(never)]
pub fn rings<const ROM: bool>(plan: &mut Plan) -> Option<()> {
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
            linear = address(plan.ground.segment, plan.ground.next + pad);
            if ROM && plan.is_rom() {
                by_rom(plan, pad)?;
            } else {
                plan.zeros(info::BLOCK_RINGS, pad + low)?;
            }
        }
        Rings { linear, physical: linear.0, len: low as u32 }
    };
    Some(())
}
