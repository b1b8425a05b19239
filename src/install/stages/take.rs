//! `/REPLACE`: prepares for taking over from a resident copy, and stops that copy's card.
//!
//! All that may have to be read of the file is read to memory before that, and what may be in the way is looked for: so long
//! as a card is stopped nobody calls DOS ([`Plan::old`] says why).

use super::apply;
use super::chain::{Chains, TIMER};
use super::copies::{info_at, is_ours, ours};
use super::hook::irq_vector;
use super::switches::{Options, Want};
use super::unload::meant;
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::{address, code_segment, copy_far, own};
use crate::control::{self, INTERRUPT};
use crate::info::{BLOCK_CTL, BLOCK_ROM_STACK, BLOCK_SHIFT, BLOCK_TICK, Block, FLAG_BOND, FLAG_MASKED, FLAG_V86, Info, NOT_PCI, NicInfo};
use crate::install::dos::{from_device, memory_end, peek, peek_into, poke, regs, uninterrupted, vector};
use crate::install::header::number;
use crate::install::kernel::{MOVE_LEAST, caller, explain, header, of_nic, read, say, unit};
use crate::install::lines::Line;
use crate::install::plan::{Kept, Plan, QUIT, SILENT, TEXT};
use crate::probe::Fault;
use crate::resident::handle::Handle;
use crate::resident::table::{BUSY, ENTRIES, Entry, PENDING, POLLED};

/// Bytes that the stage `back` uses to compare a driver with the file's.
pub const SCRATCH: u32 = 0x2000;
/// Bytes of the file that are read at a time.
const CHUNK: u16 = 0x4000;
/// Bytes of a handle.
const HANDLE: u8 = size_of::<Handle>() as u8;
/// The most handles that a driver has without a switch, however many the other copy has.
const MOST_HANDLES: u8 = 64;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    match take(plan) {
        Some(()) => number::SEARCH,
        None => QUIT,
    }
}

/// None: nothing has changed, and a line has said why.
fn take(plan: &mut Plan) -> Option<()> {
    let number = meant(&plan.options)?;
    let Some((info, nic)) = ours(number) else {
        // A build of another layout cannot be read at all.
        say(if is_ours(number) { Line::OldLayout } else { Line::NotOurs }, b" ", number as u16);
        return None;
    };
    if info.nic_count > 1 || info.flags & FLAG_BOND != 0 {
        say(Line::HasSeveral, b" ", 0);
        return None;
    }
    plan.options.vector = number;
    // A ROM cannot be loaded a second time, so its card must not be stopped.
    if block(&info, BLOCK_ROM_STACK).is_some() {
        explain(Fault::RomUsed, &nic.name);
        return None;
    }
    wants(&mut plan.options, &nic)?;
    handles(&mut plan.options, &info)?;
    let (burst, hold) = (get(&info, control::BURST), get(&info, control::HOLD));
    plan.options.fill(burst.map(|burst| burst.1), hold.map(|hold| hold.1));
    plan.old.amis = info.amis;
    plan.old.media = get(&info, control::MEDIA).map_or(0, |(_, _, in_force)| in_force as u8);
    plan.old.level = get(&info, control::LEVEL).map_or(Addr(0), |(at, ..)| at);
    plan.old.log = apply::call(info.amis, control::LOG, 0).map_or(Addr(0), |(at, ..)| at);
    let mut chains = Chains::new(&info, &nic);
    let hooked = uninterrupted(|| {
        chains.put_us_on_top();
        let hooked = !plan.options.apply && !terminates(&info, nic.irq);
        chains.put_back(false);
        hooked
    });
    let free = peek::<u8>(address(info.segment, BUSY)) == 0 && peek::<u8>(address(info.segment, PENDING)) & !POLLED == 0;
    if hooked || (info.flags & FLAG_V86 != 0) != in_v86() {
        chains.complain(&info);
        return None;
    }
    if !free {
        say(Line::Busy, b" ", 0);
        return None;
    }
    let index = index(&nic.name)?;
    let text = keep(plan, index)?;
    if plan.options.apply {
        apply::begin(plan, &info, index)?;
    }
    plan.old.handles = info.handles - shift(&info);
    plan.old.masked = info.flags & FLAG_MASKED != 0;
    plan.old.info = info_at(number)?;
    silence_old(plan, &info, text);
    Some(())
}

/// Asks the copy's control interrupt for a parameter ([`apply::call`]).
fn get(info: &Info, parameter: u8) -> Option<(Addr, u16, u16)> {
    apply::call(info.amis, control::GET, parameter)
}

/// Does each vector lead to the driver, as its `terminate` wants it? Those of the timer and of the control interrupt only if it
/// has hooked them.
#[inline(never)]
fn terminates(info: &Info, irq: u8) -> bool {
    let leads = |number: u8| (vector(number) >> 16) as u16 == info.segment;
    let line = irq == 0 || leads(irq_vector(irq));
    let has = |kind| block(info, kind).is_some();
    leads(info.vector) && line && (leads(TIMER) || !has(BLOCK_TICK) && !has(BLOCK_CTL)) && (leads(INTERRUPT) || !has(BLOCK_CTL))
}

/// A block of the copy's.
pub fn peek_block(info: &Info, index: u8) -> Block {
    let mut block = Block::NONE;
    peek_into(address(info.segment, info.blocks + index as u16 * info.block_size as u16), &mut block);
    block
}

/// By how much the copy's handles have smaller numbers than addresses.
#[inline(never)]
fn shift(info: &Info) -> u16 {
    block(info, BLOCK_SHIFT).map_or(0, |(at, _)| peek(address(info.segment, at)))
}

/// Where the first block of a kind lies, and the block; for one in XMS the address means nothing.
#[inline(never)]
pub fn block(info: &Info, kind: u8) -> Option<(u16, Block)> {
    let mut at = 0;
    for index in 0..info.block_count {
        let block = peek_block(info, index);
        if block.kind == kind {
            return Some((at, block));
        }
        if block.place == 0 {
            at += block.size;
        }
    }
    None
}

/// Has the search find the card of the other copy, and no other one.
#[inline(never)]
fn wants(options: &mut Options, nic: &NicInfo) -> Option<()> {
    let same = match options.nic {
        Want::Any => true,
        Want::Name(name) => name.eq_ignore_ascii_case(&nic.name),
        Want::Pci(place) => place == nic.pci,
        Want::Mac(mac) => mac == nic.rom,
    };
    if !same || options.io != 0 && options.io != nic.io || from_device() {
        say(Line::Replaces, b" ", 0);
        return None;
    }
    if nic.pci != NOT_PCI {
        (options.nic, options.io) = (Want::Pci(nic.pci), 0);
    } else {
        (options.nic, options.io) = (Want::Name(nic.name), nic.io);
        if options.irq == 0 {
            options.irq = nic.irq;
        }
    }
    Some(())
}

/// Sees to it that each open handle has its place. Handles are addresses: where those of the copy are larger, each begins at one
/// of ours, and those between are free. A build may add to the end of a handle, so the first bytes mean the same.
#[inline(never)]
fn handles(options: &mut Options, info: &Info) -> Option<()> {
    let each = info.handle_size / HANDLE;
    if each == 0 || info.handle_size % HANDLE != 0 {
        say(Line::OldLayout, b" ", 0);
        return None;
    }
    let mut least = 0;
    for index in 0..info.handle_count {
        let at = info.handles + index as u16 * info.handle_size as u16 + core::mem::offset_of!(Handle, flags) as u16;
        if peek::<u8>(address(info.segment, at)) & Handle::IN_USE != 0 {
            least = index.saturating_mul(each).saturating_add(1);
        }
    }
    if options.handles == 0 {
        options.handles = info.handle_count.saturating_mul(each).min(MOST_HANDLES).max(least);
    }
    if options.handles < least {
        say(Line::FewHandles, b" ", least as u16);
        return None;
    }
    Some(())
}

/// The number of the NIC that has this name.
#[inline(never)]
fn index(name: &[u8; 12]) -> Option<u8> {
    for index in 0..header().nics {
        if unit(of_nic(index, number::FIND))?.name == *name {
            return Some(index);
        }
    }
    say(Line::NoDriver, name, 0);
    None
}

/// The offsets of a unit in the file and of its end. None: it cannot be read.
#[inline(never)]
fn place_of(number: u8) -> Option<(u32, u32)> {
    let unit = unit(number)?;
    let more = 2 * (unit.fixes16 + unit.fixes32) + 6 * unit.hooks as u16;
    Some((unit.offset, unit.offset + unit.bytes as u32 + more as u32))
}

/// Reads what may be needed of the file to the end of memory: all up to the first NIC's units, and the units of this one. Returns where there is room for [`Old::text`].
#[inline(never)]
fn keep(plan: &mut Plan, index: u8) -> Option<Addr> {
    let (common, _) = place_of(of_nic(0, number::FIND))?;
    let (first, mut last) = place_of(of_nic(index, number::FIND))?;
    for number in 0..number::UNITS {
        last = last.max(place_of(of_nic(index, number))?.1);
    }
    let bytes = common + (last - first) + SCRATCH + 2 * TEXT;
    let paragraphs = (bytes >> 4) + 1;
    let end = memory_end();
    let least = code_segment() as u32 + (header().stack_top >> 4) as u32 + MOVE_LEAST as u32;
    let Some(at) = end.checked_sub(paragraphs).filter(|at| *at >= least) else {
        plan.fail(Line::NoRoom, ((least + paragraphs - end) << 4).min(u16::MAX as u32) as u16);
        return None;
    };
    // What the stages ask for the end of memory (`memory_end`); DOS does not.
    poke(address(caller().psp, 2), &(at as u16));
    let at = Addr(at << 4);
    let mut to = Addr(at.0 + SCRATCH);
    let kept = [Kept { from: 0, end: common, at: to }, Kept { from: first, end: last, at: Addr(to.0 + common) }];
    for part in &kept {
        let mut from = part.from;
        to = part.at;
        while from < part.end {
            let len = (part.end - from).min(CHUNK as u32);
            read(from, to, len as u16)?;
            (from, to) = (from + len, Addr(to.0 + len));
        }
    }
    plan.old.kept = kept;
    Some(Addr((to.0 + TEXT) & !(TEXT - 1)))
}

unsafe extern "C" {
    // asm/silence.asm.
    static mut old_entries: [u8; 2 + ENTRIES as usize];
    static old_entries_end: u8;
    static silence: u8;
}

/// The code that stops the card, and its bytes.
pub fn code() -> (*mut u8, u16) {
    let code = &raw mut old_entries as *mut u8;
    (code, (&raw const old_entries_end as u32 - code as u32) as u16)
}

/// Stops the other copy's card. From here on there are no calls of DOS.
#[inline(never)]
fn silence_old(plan: &mut Plan, info: &Info, text: Addr) {
    let core: Block = peek_block(info, 0);
    let entries = core.size - ENTRIES;
    let (code, len) = code();
    let table = address(info.segment, entries);
    poke(own(code), &entries);
    copy_far(table, own(code.wrapping_add(2)), ENTRIES);
    copy_far(own(code), address(info.segment, info.stack_low), len);
    (plan.old.text, plan.old.state) = (text, SILENT);
    let link = info.stack_low + (&raw const silence as u32 - code as u32) as u16;
    uninterrupted(|| poke(table.plus(2 * Entry::Link as u16), &link));
    regs(0x8000).interrupt(info.vector);
}
