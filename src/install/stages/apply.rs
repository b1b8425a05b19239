//! `/APPLY`: puts the pending parameters of a resident copy's control interrupt in force. The copy stays; its card is stopped,
//! started again by the file's start unit, and its instance replaced. `take` stops the card and `back` starts it, as for
//! `/REPLACE`; if it does not start with the wanted values, it is started with those that were in force.

use core::mem::offset_of;

use super::back::Copy;
use super::take::peek_block;
use crate::bus::Addr;
use crate::bus::real::address;
use crate::control::{APPLY_FAILED, DONE, Entry, GET, INTERRUPT, LOG, LOG_ENTRIES, MEDIA, XMS};
use crate::info::{BLOCK_BUFFERS, BLOCK_RINGS, Block, Info};
use crate::install::dos::{fill, peek, poke, regs, uninterrupted};
use crate::install::features::{Facts, needs};
use crate::install::kernel::say;
use crate::install::lines::Line;
use crate::install::plan::{Plan, XmsBlock};
use crate::memory::{SLOT, direct};
use crate::probe::Rings;

/// Bytes from a pending parameter's wanted value to the one in force (asm/ctl.inc).
const IN_FORCE: u16 = 4;
/// The BIOS's count of timer ticks.
const TICKS: Addr = Addr(0x46C);

/// What is to be applied.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Apply {
    /// Where the copy has the wanted MEDIA; 0: this is no `/APPLY`.
    pub media: Addr,
    /// And the wanted XMS; 0: that is as it is, or the copy has none.
    pub xms: Addr,
    /// Slots that this gives.
    pub slots: u16,
    /// The copy's multiplex number.
    pub number: u8,
    /// The memory that was taken for it.
    pub block: XmsBlock,
}

/// Calls a copy's control interrupt. Gives ES:DI, CX and DX; `None`: it does not do this, or the copy has none (number 0).
#[inline(never)]
pub fn call(number: u8, al: u8, bx: u8) -> Option<(Addr, u16, u16)> {
    if number == 0 {
        return None;
    }
    let regs = regs((number as u16) << 8 | al as u16);
    regs.bx = bx as u16;
    regs.interrupt(INTERRUPT);
    (regs.ax as u8 == DONE).then_some((address(regs.es, regs.di), regs.cx, regs.dx))
}

/// Asks the copy what is wanted. None: nothing is, or that cannot be done; a line has said why.
#[inline(never)]
pub fn begin(plan: &mut Plan, info: &Info, nic: u8) -> Option<()> {
    let own = regs((info.amis as u16) << 8);
    own.interrupt(INTERRUPT);
    if info.amis == 0 || own.ax as u8 != DONE || own.dx != info.segment {
        say(Line::NoControl, b" ", 0);
        return None;
    }
    let (media, wanted, in_force) = call(info.amis, GET, MEDIA)?;
    let (mut xms, slots) = match call(info.amis, GET, XMS) {
        Some((at, wanted, in_force)) if wanted != in_force => (at, (wanted as u32 * 1024 / SLOT as u32) as u16),
        _ => (Addr(0), 0),
    };
    if xms.0 == 0 && wanted == in_force {
        say(Line::NoneWaits, b" ", 0);
        return None;
    }
    if slots == 0 {
        xms = Addr(0);
    }
    plan.options.media = wanted as u8;
    plan.old.apply = Apply { media, xms, slots, number: info.amis, block: XmsBlock::NONE };
    // The instance is laid out as the file's driver knows it.
    let copy = Copy { info };
    if copy.driver(plan, nic)?.is_some() {
        return Some(());
    }
    say(Line::OtherDriver, b" ", 0);
    None
}

/// The values in force, which the card is started with when it does not start with the wanted ones.
pub fn as_it_was(plan: &mut Plan) -> u8 {
    let apply = &mut plan.old.apply;
    apply.block.free();
    apply.block = XmsBlock::NONE;
    apply.xms = Addr(0);
    peek(apply.media.plus(IN_FORCE))
}

/// Takes the wanted XMS, in place of the copy's `rings` and their block. None: there is not so much, or frames wait in the old
/// one.
#[inline(never)]
pub fn extended(plan: &mut Plan, copy: &Copy, rings: Rings) -> Option<Rings> {
    let apply = &mut plan.old.apply;
    if apply.xms.0 == 0 {
        return Some(rings);
    }
    if waits(copy) {
        return None;
    }
    let above = copy.block(BLOCK_RINGS).is_some_and(|(_, block)| block.place != 0);
    let len = if above { rings.len } else { 0 };
    apply.block = XmsBlock::new(len + apply.slots as u32 * SLOT as u32);
    let linear = apply.block.linear;
    if linear == 0 {
        return None;
    }
    Some(if above { Rings { linear: Addr(linear), physical: linear, len } } else { rings })
}

/// Do frames wait in the pool?
fn waits(copy: &Copy) -> bool {
    let used: u16 = peek(copy.at(copy.info.pool + offset_of!(direct::Fields, used) as u16));
    let free: direct::List = peek(copy.at(copy.info.pool + offset_of!(direct::Fields, free) as u16));
    used != free.count
}

/// The card runs with the wanted values: they are in force.
#[inline(never)]
pub fn commit(plan: &mut Plan, copy: &Copy) -> Option<()> {
    let apply = plan.old.apply;
    if apply.xms.0 != 0 {
        let need = needs::of_flat(plan.card.found.flat);
        let told = copy.told(crate::info::BLOCK_FLAT, need, offset_of!(Facts, xms_handle) as u16)?;
        let before = XmsBlock { entry: apply.block.entry, handle: peek(told), linear: 0 };
        uninterrupted(|| {
            poke(told, &apply.block.handle);
            pool(plan, copy);
        });
        before.free();
        poke(apply.xms.plus(IN_FORCE), &peek::<u16>(apply.xms));
    }
    poke(apply.media.plus(IN_FORCE), &peek::<u8>(apply.media));
    Some(())
}

/// Tells the pool of its new memory, and begins it anew.
#[inline(never)]
fn pool(plan: &Plan, copy: &Copy) {
    let apply = &plan.old.apply;
    let at = copy.at(copy.info.pool);
    let mut fields: direct::Fields = peek(at);
    let slots = apply.slots;
    let above = copy.block(BLOCK_RINGS).is_some_and(|(_, block)| block.place != 0);
    let rings = if above { plan.card.found.rings_xms } else { 0 };
    fields.base = (apply.block.linear + rings).wrapping_sub(SLOT as u32);
    (fields.slots, fields.most) = (slots, slots - slots / 4);
    (fields.used, fields.peeked) = (0, 0);
    (fields.free, fields.queue) = (direct::List::default(), direct::List::default());
    fill(copy.at(fields.lists), 0, fields.lists_end - fields.lists);
    poke(at, &fields);
    for index in 0..copy.info.block_count {
        let part = peek_block(copy.info, index);
        if part.kind == BLOCK_BUFFERS && part.place != 0 {
            let at = copy.at(copy.info.blocks + index as u16 * copy.info.block_size as u16);
            poke(at.plus(offset_of!(Block, size) as u16), &(slots + slots * 2).div_ceil(2));
        }
    }
}

/// Writes to the copy's log that the wanted values were refused.
#[inline(never)]
pub fn failed(plan: &Plan) {
    let Some((log, _, written)) = call(plan.old.apply.number, LOG, 0) else { return };
    let size = size_of::<Entry>() as u16;
    let [low, middle, high, _] = peek::<[u8; 4]>(TICKS);
    let entry = Entry { ticks: [low, middle, high], event: APPLY_FAILED, detail: 0 };
    uninterrupted(|| {
        poke(log.plus(written % LOG_ENTRIES as u16 * size), &entry);
        // The number of entries lies behind them.
        poke(log.plus(LOG_ENTRIES as u16 * size), &written.wrapping_add(1));
    });
}

