//! The last stage with `/REPLACE`, instead of `stand`: this copy stands in the place of the other one, with its clients.
//!
//! The other copy's own `terminate` exchanges the vectors: it is told that the handlers before it are this copy's. So each
//! call of a client comes to the one or the other.

use core::mem::offset_of;

use super::about::banner;
use super::apply::call;
use super::attach::{self, Attaching, set_vector};
use super::chain::Chains;
use super::hook::{irq_vector, unmask_line};
use super::start::starter_unit;
use super::take::block;
use crate::bus::Addr;
use crate::bus::real::{address, copy_far, set_bits};
use crate::control::{CALLBACKS, Entry, GET, LEVEL, LOG, LOG_ENTRIES};
use crate::device::{Counters, RcvMode};
use crate::info::{BLOCK_STATS, Info, NicInfo};
use crate::install::dos::{peek, peek_into, poke, put, regs, uninterrupted};
use crate::install::features::{HOOKS_OF_HANDOVER, Hook, POINT_POOL, needs};
use crate::install::kernel::{header, say};
use crate::install::lines::Line;
use crate::install::plan::{DONE, FAILED, GOES, Plan, TEXT};
use crate::resident::handle::Handle;
use crate::resident::table::{CHANGED, OPEN_HANDLES, PENDING, POLLED, STATE, State, WORK, Work};
use crate::sharing::NEXT;

/// Of the ctl feature: bytes of the callbacks, which lie before the log.
const CALLED: u16 = CALLBACKS as u16 * 6;
/// These, the log, the number of entries ever written, and the three counts that the next tick expects (asm/ctl.inc).
const KEPT: u16 = CALLED + (LOG_ENTRIES * size_of::<Entry>()) as u16 + 2 + 3 * 2;

/// Both copies.
struct Both {
    old: u16,
    new: u16,
    info: Info,
    nic: NicInfo,
}

/// How the features attach, one behind the other. Not on the stack, which has no room for it.
static mut LIST: [Hook; HOOKS_OF_HANDOVER] = [attach::NO_HOOK; HOOKS_OF_HANDOVER];

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    if attach::read(plan, &raw mut LIST as *mut _, HOOKS_OF_HANDOVER).is_none() {
        return FAILED;
    }
    let mut attaching = Attaching::new(plan, &raw const LIST as *const _);
    attaching.facts.amis = plan.old.amis as u16;
    attaching.attach();
    let info = address(plan.ground.segment, header().core.info);
    poke(info.plus(offset_of!(Info, pool) as u16), &attaching.facts.points[POINT_POOL]);
    let Some(changed) = take_over(plan, &mut attaching) else { return FAILED };
    end(plan, changed);
    DONE
}

/// Takes over. None: the other copy does not go, and is as it was but for its card. Otherwise whether the card is to be set up
/// for its address and receive mode.
#[inline(never)]
fn take_over(plan: &Plan, attaching: &mut Attaching) -> Option<bool> {
    // SAFETY: both are plain data, for which zero is a value.
    let mut both = unsafe { core::mem::zeroed::<Both>() };
    peek_into(plan.old.info, &mut both.info);
    (both.old, both.new) = (both.info.segment, plan.ground.segment);
    peek_into(address(both.old, both.info.nics), &mut both.nic);
    let mut chains = Chains::new(&both.info, &both.nic);
    // No interrupt may find a client's handle in neither copy.
    let (changed, gone) = uninterrupted(|| {
        chains.put_us_on_top();
        let changed = both.copy(plan);
        let gone = both.exchange(plan);
        if gone {
            attaching.hook();
            if both.nic.irq == 0 && plan.placed.irq != 0 {
                set_vector(irq_vector(plan.placed.irq), both.new, header().core.irq);
                unmask_line(plan.placed.irq);
            }
            keep(plan);
        }
        chains.put_back(gone);
        (changed, gone)
    });
    if !gone {
        if peek::<u8>(address(both.old, PENDING)) & !POLLED != 0 {
            say(Line::Busy, b" ", 0);
        } else {
            chains.complain(&both.info);
        }
    }
    gone.then_some(changed)
}

/// With a control interrupt in both copies: copies callbacks, log and expected counts, and the two parameters that no switch sets.
/// The old copy is gone, but still in its memory, of which DOS has given none away. The new one answers with the same number.
#[inline(never)]
fn keep(plan: &Plan) {
    let old = &plan.old;
    if old.log.0 == 0 {
        return;
    }
    let callbacks = |log: Addr| Addr(log.0 - CALLED as u32);
    if let (Some((log, ..)), Some((level, ..))) = (call(old.amis, LOG, 0), call(old.amis, GET, LEVEL)) {
        copy_far(callbacks(old.log), callbacks(log), KEPT);
        // Behind LOG lie INTERVAL and the link that the last tick saw (asm/ctl.inc).
        copy_far(old.level, level, 3);
    }
}

/// Lets the card interrupt, and prints the line at load.
#[inline(never)]
fn end(plan: &mut Plan, changed: bool) {
    plan.old.state = GOES;
    (starter_unit().unmask)(plan.device as u32 as *mut u8);
    if changed {
        set_bits(address(plan.ground.segment, PENDING), CHANGED);
        regs(0x0100).interrupt(plan.options.vector);
    }
    speak(plan);
    banner(plan);
}

impl Both {
    /// Copies what clients have told the old copy: handles, address, receive mode, multicast list; and its counters. Returns
    /// whether the card is to be told of it, too: it is set up for its own address and broadcasts.
    #[inline(never)]
    fn copy(&self, plan: &Plan) -> bool {
        let (each, size) = (size_of::<Handle>() as u16, self.info.handle_size as u16);
        let (mut at, end) = (0, plan.options.handles as u16 * each);
        for _ in 0..self.info.handle_count {
            if at < end {
                self.same(self.info.handles + at, plan.placed.handles + at, each);
            }
            at += size;
        }
        self.same(OPEN_HANDLES, OPEN_HANDLES, 1);
        self.same(self.device(), plan.placed.device, size_of::<Counters>() as u16);
        let (groups, end) = (offset_of!(Work, group_count) as u16, size_of::<Work>() as u16);
        self.same(WORK + groups, WORK + groups, end - groups);
        let (mac, mode) = (offset_of!(NicInfo, mac) as u16, offset_of!(NicInfo, rcv_mode) as u16);
        self.same(WORK + mac, WORK + mac, 6);
        self.same(WORK + mode, WORK + mode, 1);
        // With `/STATS` in both, the counts of each handle.
        let stats = plan.placed.feature(needs::STATS);
        if let (Some(to), Some((from, block)), true) = (stats, block(&self.info, BLOCK_STATS), size == each) {
            self.same(from, to.table.at, block.size.min(to.table.end - to.table.at));
        }
        self.nic.rcv_mode != RcvMode::Broadcast as u8 || self.nic.mac != self.nic.rom
    }

    /// Copies bytes from the old copy to the new one.
    #[inline(never)]
    fn same(&self, from: u16, to: u16, len: u16) {
        copy_far(address(self.old, from), address(self.new, to), len);
    }

    /// The old copy's device.
    fn device(&self) -> u16 {
        peek(address(self.old, STATE + offset_of!(State, device) as u16))
    }

    /// The handler of INT 60h: the core's, or the shift feature's, which is told what it has to know.
    #[inline(never)]
    fn entry(&self, plan: &Plan) -> u16 {
        let core = header().core.int60;
        let Some(shift) = plan.placed.feature(needs::SHIFT) else { return core };
        let at = address(self.new, shift.at);
        poke(at, &(plan.placed.handles - plan.old.handles));
        poke(at.plus(4), &core);
        peek(at.plus(2))
    }

    /// Has the old copy unload itself, with this copy's handlers in the place of those before it. False: it refuses, and is as
    /// it was.
    #[inline(never)]
    fn exchange(&self, plan: &Plan) -> bool {
        let core = &header().core;
        let mine = |offset: u16| (self.new as u32) << 16 | offset as u32;
        let int60 = STATE + offset_of!(State, old_int60) as u16;
        self.same(int60, int60, 4);
        let mut changes = [Change::none(); 4];
        changes[0] = Change::of(address(self.old, int60), mine(self.entry(plan)));
        if self.nic.irq != 0 && self.nic.irq == plan.placed.irq {
            let before: u16 = peek(address(self.old, STATE + offset_of!(State, old_irq) as u16));
            self.same(before, core.irq + NEXT, 4);
            changes[1] = Change::of(address(self.old, before), mine(core.irq));
        }
        // `terminate` wants one handle to be open, and to be told it.
        let handle = plan.old.handles;
        let open = address(self.old, OPEN_HANDLES);
        let flags = address(self.old, self.info.handles + 4);
        changes[2] = Change::of(open, peek::<u32>(open) & !0xFF | 1);
        changes[3] = Change::of(flags, peek::<u32>(flags) | (Handle::IN_USE as u32) << 8);
        let terminate = regs(0x0500);
        terminate.bx = handle;
        let gone = terminate.interrupt(self.info.vector);
        if !gone {
            changes.iter().for_each(Change::undo);
        }
        gone
    }
}

/// Four bytes that were changed.
#[derive(Clone, Copy)]
struct Change {
    at: Addr,
    before: u32,
}

impl Change {
    fn none() -> Change {
        Change { at: Addr(0), before: 0 }
    }

    /// Changes them.
    #[inline(never)]
    fn of(at: Addr, value: u32) -> Change {
        let change = Change { at, before: peek(at) };
        poke(at, &value);
        change
    }

    fn undo(&self) {
        if self.at.0 != 0 {
            poke(self.at, &self.before);
        }
    }
}

/// Prints what has been kept since the card was stopped.
#[inline(never)]
pub fn speak(plan: &mut Plan) {
    let end = plan.old.text.0;
    plan.old.text = Addr(0);
    for at in end & !(TEXT - 1)..end {
        put(peek(Addr(at)));
    }
}
