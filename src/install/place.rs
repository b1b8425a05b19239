//! What stays, block behind block: core, driver, device, handles, features, rings, the poll feature, stack.

use core::mem::offset_of;

use super::dos::{self, peek, poke};
use super::about::{banner, head, nic};
use super::extended::{self, Memory};
use super::ground::Ground;
use super::hardware::Probe;
use super::header::{BUS_PCI, KIND_PROBE, KIND_STARTER, ProbeHeader, Start, caller, header};
use super::hook::{hook, irq_vector, line_masked};
use super::load::{Units, fill};
use super::run::from_device;
use super::switches::Options;
use super::{pool, vds};
use crate::bus::either::in_v86;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::bus::{Addr, Far};
use crate::info::{self, Block};
use crate::probe::{FLAT_INTX, FLAT_KEYBOARD, Fault, Found, NO_XMS, Rings, isa_pnp};
use crate::resident::table::{
    BLOCKS, CoreTable, ENTRIES, EOI_FIRST, EOI_SECOND, EOI_WRITE, FilterHeader, FlatHeader, NO_EOI, PENDING, POLLED, PollHeader, Region,
    SPECIFIC_EOI, State, Stats, StatsHeader, StatsRow, VdsHeader,
};

/// Stack below the receivers' share: the core's own depth at an upcall.
const STACK_CORE: u16 = 86;
/// The end of their share: what a call of INT 60h from inside an upcall takes, wherever the receiver's stack is.
const STACK_SECOND: u16 = 136;

/// The most that the last block takes beside the receivers' share: the list of blocks, the core's depth, up to a paragraph's
/// end.
const LAST: u16 = (BLOCKS * size_of::<Block>()) as u16 + STACK_CORE + 15;

/// What is kept of the PSP: DOS needs its first 60h bytes until the program has ended.
pub const PSP_PARAS: u16 = 6;
/// Where an EXE's image begins behind its PSP.
const PSP_SIZE: u16 = 0x10;

/// A unit's name with a letter behind it.
fn lettered(name: &[u8; 12], letter: u8) -> [u8; 12] {
    let mut name = *name;
    if let Some(end) = name.iter_mut().find(|byte| **byte == 0) {
        *end = letter;
    }
    name
}

/// The letter of the driver's unit: one with rings has a second one for conventional memory, as one with registers in
/// memory has for V86 mode. Where a card does without rings as well, the unit without a letter is for that.
fn letter(found: &Found, flat: bool) -> u8 {
    match flat {
        true if found.plain => b'x',
        false if found.mem != 0 || found.rings_low != 0 => b'v',
        _ => 0,
    }
}

/// Places everything; the resident paragraphs. A card that does without rings goes without them if it cannot have them.
#[inline(never)]
pub fn build(options: &Options, units: &Units, mut probe: Probe) -> Option<u16> {
    let mut rings = probe.found.plain && probe.found.rings_low != 0;
    let mut again = false;
    loop {
        // No line is printed while there is another way.
        units.hush(rings);
        let ready = if rings || again { starter(units, &mut probe, rings) } else { Some(()) };
        let built = ready.and_then(|()| attempt(options, units, &probe, again));
        let another = units.hush(false);
        if built.is_some() {
            return built;
        }
        if !another {
            probe.let_go();
            return None;
        }
        (rings, again) = (false, true);
        probe.found.rings_xms &= NO_XMS;
        probe.found.rings_low = 0;
    }
}

/// Puts the probe that starts a card with rings, or without, in the place of the one that is there.
#[inline(never)]
fn starter(units: &Units, probe: &mut Probe, rings: bool) -> Option<()> {
    let (kind, letter) = if rings { (KIND_STARTER, b'x') } else { (KIND_PROBE, 0) };
    let unit = units.named(kind, &lettered(&probe.unit.name, letter))?;
    probe.unit.total = unit.total;
    units.load(&unit, code_segment(), probe.header() as *const ProbeHeader as u32 as u16)
}

/// One way to do it. When that fails, extended memory goes back and what was locked is unlocked.
#[inline(never)]
fn attempt(options: &Options, units: &Units, probe: &Probe, again: bool) -> Option<u16> {
    let found = &probe.found;
    let mut extended = extended::memory(options, found.rings_xms);
    if extended.rings != 0 && probe.unit.bus != BUS_PCI && extended.block.linear > isa_pnp::REACH - extended.rings {
        extended.block.free();
        extended = extended::memory(options, 0);
    }
    let mut locked = None;
    let built = place(options, units, probe, &extended, &mut locked, again);
    if built.is_none() {
        if extended.block.handle != 0 {
            extended.block.free();
        }
        if let Some(region) = locked {
            vds::unlock(region);
        }
    }
    built
}

fn place(
    options: &Options,
    units: &Units,
    probe: &Probe,
    extended: &Memory,
    locked: &mut Option<Region>,
    again: bool,
) -> Option<u16> {
    let found = &probe.found;
    let image = caller().load_segment;
    let table = &header().core;
    let segment = if from_device() { image } else { image - PSP_SIZE + PSP_PARAS };
    let mut ground = Ground::new(units, segment);
    ground.take(info::BLOCK_CORE, table.end)?;
    // The second time it is there, and other blocks have come to lie over its first copy.
    if !again {
        copy_far(address(image, 0), address(segment, 0), header().core_bytes);
    }
    fill(address(segment, header().core_bytes), 0, table.end - header().core_bytes);

    // What the card does above 1 MB, and what frames that wait do there.
    let card_flat = extended.rings != 0 || found.mem != 0 && !in_v86();
    let flat = card_flat || extended.block.linear != 0;
    let name = lettered(&probe.unit.name, letter(found, card_flat));
    ground.driver(&name)?;
    let size = probe.header().instance;
    let device = ground.zeros(info::BLOCK_INSTANCE, size)?;
    let handles = ground.zeros(info::BLOCK_HANDLES, options.handles as u16 * 16)?;
    let mut flattener = 0;
    if flat {
        flattener = ground.feature(match found.flat {
            FLAT_INTX => "flati",
            FLAT_KEYBOARD => "flatk",
            _ => "flat",
        })?;
    }
    if options.stats {
        let at = ground.feature("stats")?;
        let rows = ground.zeros(info::BLOCK_STATS, (size_of::<Stats>() + options.handles as usize * size_of::<StatsRow>()) as u16)?;
        filter(segment, at, table);
        let header = StatsHeader { handles, getter: table.getter, known: table.known, table: rows };
        poke(address(segment, at + size_of::<FilterHeader>() as u16), &header);
    }
    let mut waits = None;
    if options.waits {
        waits = Some(pool::place(&mut ground, units, options, extended)?);
    }
    let mut rings = rings(&mut ground, found, extended)?;
    let mut services = None;
    if !card_flat && found.rings_low != 0 {
        if vds::present() {
            services = Some(ground.feature("vds")?);
        } else if in_v86() {
            units.explain(&probe.unit, Fault::Hidden);
            return None;
        }
    }
    // Whether the card has to be polled shows only when it runs, and nothing may fail then: the feature is loaded to where
    // it would lie, and there is room for the last block behind it. The pool polls by itself.
    let mut poll = 0;
    if waits.is_none() {
        poll = ground.feature("poll")?;
    }
    let receivers = options.stack + waits.as_ref().map_or(0, |pool| pool.stack);
    ground.reserve(LAST + receivers)?;

    if let Some(at) = services {
        let Some(region) = vds::lock(rings.linear, rings.len) else {
            units.explain(&probe.unit, Fault::Unlocked);
            return None;
        };
        *locked = Some(region);
        rings.physical = region.physical;
        let place = address(segment, at);
        let unit = VdsHeader { region, ..peek(place) };
        poke(place, &unit);
    }
    let instance = probe.device();
    let fault = Fault::from((probe.header().start)(found, &Start { rings, device: instance }));
    if let Some(fault) = fault {
        if fault == Fault::Dead {
            // A card that does not answer does not do so in another way.
            units.hush(false);
        }
        units.explain(&probe.unit, fault);
        return None;
    }
    let irq = if found.irq == 0 { 0 } else { (probe.header().line)(found, instance) };
    copy_far(own(instance), address(segment, device), size);

    // Nothing fails from here on.
    if flattener != 0 {
        flatten(segment, flattener, table, extended);
    }
    if let Some(at) = services {
        let [.., farewell] = table.patches;
        patch(segment, farewell, peek(address(segment, at)));
    }
    let mut handler = table.irq;
    if let Some(pool) = &waits {
        if irq == 0 {
            handler = pool.header.tick;
        }
    } else if irq == 0 {
        let place = address(segment, poll);
        let unit = PollHeader { entries: table.entries, driver: table.end - ENTRIES, ..peek(place) };
        poke(place, &unit);
        handler = unit.handler;
    } else {
        ground.give_back(poll);
    }
    // The last block: its top is the end of everything, on a paragraph.
    // Below it lies the list of blocks, its own among them.
    let blocks = ground.next;
    let list = (ground.count as u16 + 1) * size_of::<Block>() as u16;
    let stack = blocks + list;
    let need = list + STACK_CORE + receivers;
    ground.take(info::BLOCK_STACK, need + ((blocks + need).wrapping_neg() & 15))?;
    let top = ground.next;
    fill(address(segment, stack), info::STACK_CANARY, top - stack);

    let masked = irq != 0 && line_masked(irq);
    let state = State {
        device: device as u32,
        handles_size: options.handles as u16 * 16,
        memory: if from_device() { 0 } else { caller().psp },
        stack_second: stack + STACK_SECOND,
        int_slot: options.vector as u16 * 4,
        irq_slot: irq_vector(irq) as u16 * 4,
        irq_lone: masked as u8,
        burst: options.burst,
        old_irq: handler + 2,
        old_int60: Far(dos::vector(options.vector)),
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
    let mut info = head(options, &ground, table, handles, blocks, stack, masked);
    info.pool = waits.as_ref().map_or(0, |pool| pool.header.table);
    poke(address(segment, table.info), &info);
    let nic = nic(options, probe, irq);
    poke(address(segment, table.work), &nic);
    for (index, block) in ground.blocks.iter().take(ground.count as usize).enumerate() {
        poke(address(segment, blocks + index as u16 * size_of::<Block>() as u16), block);
    }
    if let Some(pool) = &mut waits {
        pool.stand(segment, irq == 0);
    }
    hook(segment, handler, &nic);
    (probe.header().unmask)(instance);
    banner(options, probe, irq, top);
    Some(top >> 4)
}

/// Tells the flat feature where it lies and what to give back, and has the core call it.
fn flatten(segment: u16, at: u16, table: &CoreTable, extended: &Memory) {
    let place = address(segment, at);
    let mut flat = peek::<FlatHeader>(place);
    let base = address(segment, flat.base[0]).0;
    flat.base = [base as u16, (base >> 16) as u16];
    let block = extended.block;
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

/// Where the card's rings go: extended memory, or below 1 MB when there is none.
fn rings(ground: &mut Ground, found: &Found, extended: &Memory) -> Option<Rings> {
    let Memory { block, rings, .. } = *extended;
    if rings != 0 {
        let kilobytes = ((rings + 1023) >> 10) as u16;
        ground.note(Block { kind: info::BLOCK_RINGS, place: 1, size: kilobytes });
        return Some(Rings { linear: Addr(block.linear), physical: block.linear, len: rings });
    }
    let mut linear = Addr(0);
    if found.rings_low != 0 {
        // Descriptors want a boundary of 16 at least.
        let pad = ground.next.wrapping_neg() & 15;
        let at = ground.zeros(info::BLOCK_RINGS, pad + found.rings_low)?;
        linear = address(ground.segment, at + pad);
    }
    Some(Rings { linear, physical: linear.0, len: found.rings_low as u32 })
}
