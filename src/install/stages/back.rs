//! `/REPLACE` has failed after the card of the other copy was stopped: that copy gets its card back.

use core::mem::offset_of;

use super::apply;
use super::handover::speak;
use super::start::starter_unit;
use super::take::{SCRATCH, block, code};
use crate::bus::Addr;
use crate::bus::real::{address, code_segment, copy_far, own, set_bits};
use crate::device::Counters;
use crate::info::{self, Block, Info};
use crate::install::dos::{far_call, fill, peek, peek_into, regs, uninterrupted};
use crate::install::features::{Facts, HOOKS, Hook, TOLD, needs};
use crate::install::header::{Start, Unit, number};
use crate::install::kernel::{header, hooks, load, of_nic, say, unit};
use crate::install::lines::Line;
use crate::install::plan::{GOES, Plan, QUIT, RETURNS, SILENT};
use crate::probe::{Fault, Rings};
use crate::resident::table::{CHANGED, ENTRIES, PENDING, Region, STATE, State};

/// Bytes in which a driver in memory may differ from the file's: a feature has replaced some.
const CHANGED_BYTES: u16 = 8;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    // SAFETY: plain data, for which zero is a value.
    let mut info: Info = unsafe { core::mem::zeroed() };
    peek_into(plan.old.info, &mut info);
    let copy = Copy { info: &info };
    let applies = plan.options.apply;
    // With `/REPLACE` a card that does without rings is known without them, and it starts with the medium that it was found for.
    let same = !plan.card.found.plain && plan.options.media == plan.old.media;
    let usable = plan.card.name[0] != 0 && (plan.old.state == RETURNS || applies || same);
    let goes = usable && restart(plan, &copy).is_some();
    if plan.old.state == SILENT && !(usable && (goes || !applies)) {
        // The card was not found with these switches, or does not start with them.
        plan.old.state = RETURNS;
        plan.options.media = if applies { apply::as_it_was(plan) } else { plan.old.media };
        plan.card.name[0] = 0;
        return number::SEARCH;
    }
    let mut line = if goes { Line::Back } else { Line::NotBack };
    if applies && plan.old.state == RETURNS {
        apply::failed(plan);
    } else if applies && apply::commit(plan, &copy).is_some() {
        plan.exit = 0;
        plan.failure = 0;
        line = Line::Applied;
    }
    wake(&info);
    if goes {
        set_bits(address(info.segment, PENDING), CHANGED);
    }
    regs(0x0100).interrupt(info.vector);
    plan.old.state = GOES;
    speak(plan);
    say(line, b" ", 0);
    QUIT
}

/// Gives the driver its entries back.
#[inline(never)]
fn wake(info: &Info) {
    let at = address(info.segment, info.stack_low);
    uninterrupted(|| copy_far(at.plus(2), address(info.segment, peek(at)), ENTRIES));
    fill(at, info::STACK_CANARY, code().1);
}

/// What is known of the other copy.
pub struct Copy<'a> {
    /// Its information block.
    pub info: &'a Info,
}

impl Copy<'_> {
    /// A place in it.
    pub fn at(&self, offset: u16) -> Addr {
        address(self.info.segment, offset)
    }

    /// [`block`].
    pub fn block(&self, kind: u8) -> Option<(u16, Block)> {
        block(self.info, kind)
    }

    /// Which of the file's drivers for this NIC it has; `Some(None)`: another one. None: the file cannot be read.
    #[inline(never)]
    pub fn driver(&self, plan: &Plan, nic: u8) -> Option<Option<u8>> {
        for kind in [number::DRIVER, number::DRIVER_V, number::DRIVER_X] {
            let unit = unit(of_nic(nic, kind))?;
            if unit.bytes != 0 && self.is_driven_by(plan, &unit)? {
                return Some(Some(kind));
            }
        }
        Some(None)
    }

    /// Whether its driver is this unit of the file.
    #[inline(never)]
    fn is_driven_by(&self, plan: &Plan, unit: &Unit) -> Option<bool> {
        let (at, block) = self.block(info::BLOCK_NIC)?;
        if block.size != ((unit.total - ENTRIES) + 3) & !3 {
            return Some(false);
        }
        // As if it were loaded at the same offset.
        let at = at - ENTRIES;
        let [common, _] = plan.old.kept;
        let segment = (common.at.0 - SCRATCH) >> 4;
        load(unit, segment as u16, at)?;
        let mut differ = 0;
        for offset in at + ENTRIES..at + unit.bytes {
            differ += (peek::<u8>(address(segment as u16, offset)) != peek::<u8>(self.at(offset))) as u16;
        }
        Some(differ <= CHANGED_BYTES)
    }

    /// Where its feature was told these facts: those of `need` in a block of this kind.
    #[inline(never)]
    pub fn told(&self, kind: u8, need: u32, fact: u16) -> Option<Addr> {
        let (at, _) = self.block(kind)?;
        for number in number::FEATURES..number::FEATURES + header().features {
            let unit = unit(number)?;
            if unit.needs & need == 0 || unit.block != kind {
                continue;
            }
            let mut list = [Hook { op: 0, what: 0, at: 0, more: 0 }; HOOKS];
            hooks(&unit, list.as_mut_ptr())?;
            let hook = list.iter().take(unit.hooks as usize).find(|hook| hook.op == TOLD && hook.more == fact)?;
            return Some(self.at(at + hook.at));
        }
        None
    }
}

/// Starts the card with the memory that the other copy has for it. None: that cannot be, or its driver is not the file's.
#[inline(never)]
fn restart(plan: &mut Plan, copy: &Copy) -> Option<()> {
    let driver = copy.driver(plan, plan.card.nic)?;
    let plain = plan.card.found.plain && driver? == number::DRIVER;
    let kind = if plan.card.found.plain && !plain { number::START_X } else { number::START };
    let start = unit(of_nic(plan.card.nic, kind))?;
    let rings = if plain { Rings::NONE } else { rings(plan, copy)? };
    let rings = apply::extended(plan, copy, rings)?;
    load(&start, code_segment(), header().slot_b)?;
    let at = (header().slot_b + start.total + 3) & !3;
    let device = at as u32 as *mut u8;
    if Fault::from((starter_unit().start)(&plan.card.found, &Start { rings, device })).is_some() {
        return None;
    }
    // The counters stay.
    let counters = size_of::<Counters>() as u16;
    let to: u16 = peek(copy.at(STATE + offset_of!(State, device) as u16));
    copy_far(own(device.wrapping_add(counters as usize)), copy.at(to + counters), start.table - counters);
    Some(())
}

/// The rings of the other copy.
#[inline(never)]
fn rings(plan: &Plan, copy: &Copy) -> Option<Rings> {
    let found = &plan.card.found;
    let Some((at, block)) = copy.block(info::BLOCK_RINGS) else { return Some(Rings::NONE) };
    if block.place == 0 {
        let linear = copy.at((at + 15) & !15);
        let mut physical = linear.0;
        if copy.block(info::BLOCK_VDS).is_some() {
            let region: Region = peek(copy.told(info::BLOCK_VDS, needs::VDS, offset_of!(Facts, region) as u16)?);
            physical = region.physical;
        }
        return Some(Rings { linear, physical, len: found.rings_low as u32 });
    }
    let need = needs::of_flat(found.flat);
    let handle: u16 = peek(copy.told(info::BLOCK_FLAT, need, offset_of!(Facts, xms_handle) as u16)?);
    let entry: u32 = peek(copy.told(info::BLOCK_FLAT, need, offset_of!(Facts, xms_entry) as u16)?);
    // Locked once more, for its address.
    let lock = far_call(entry, 0x0C00, 0, handle);
    if lock.ax != 1 {
        return None;
    }
    far_call(entry, 0x0D00, 0, handle);
    let linear = (lock.dx as u32) << 16 | lock.bx as u32;
    Some(Rings { linear: Addr(linear), physical: linear, len: found.rings_xms })
}
