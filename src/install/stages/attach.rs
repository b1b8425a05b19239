//! Attaches features as they say themselves (asm/attach.inc): the core, the driver's entries, INT 60h's functions and other
//! features then call them, and they know where things are.

use core::mem::offset_of;

use super::hook::{PIC1_MASK, irq_vector};
use crate::bus::real::{address, copy_far, own};
use crate::install::dos::{far_call, fill, peek, poke, regs, vector};
use crate::install::features::{
    BASED, CALLED, Facts, HOOKS_VECTOR, Hook, Hooked, INSTEAD, ONCE, OPERAND, POINT_ENTRIES, POINT_FUNCTIONS, POINT_HOLD, POINT_POOL, POINTS,
    PROVIDES, TAKES, TOLD,
};
use crate::install::kernel::{header, hooks, unit};
use crate::install::plan::{Feature, Plan};
use crate::memory::{SLOT, cache};
use crate::probe::pci;
use crate::resident::table::{ENTRIES, Entry, State};

/// An entry of a list to read to.
pub const NO_HOOK: Hook = Hook { op: 0, what: 0, at: 0, more: 0 };

/// What features are told. Not on the stack either.
// SAFETY: all of it is numbers.
static mut FACTS: Facts = unsafe { core::mem::zeroed() };

/// Features that are being attached.
pub struct Attaching<'a> {
    plan: &'a Plan,
    /// How they attach ([`read`]).
    list: *const Hook,
    /// What features are told.
    pub facts: &'a mut Facts,
}

/// The bit of an interrupt line. Line 0, the timer's, stands for none.
#[inline(always)]
pub fn line_bit(irq: u8) -> u16 {
    1 << (irq & 15) & !1
}

/// Reads how all features attach. None: that cannot be read.
pub fn read(plan: &mut Plan, list: *mut Hook, room: usize) -> Option<()> {
    let mut next = 0;
    for feature in plan.placed.features.iter_mut().take(plan.placed.count as usize) {
        let unit = unit(feature.number)?;
        // The pack step has seen to it that there is room.
        if next + unit.hooks as usize > room {
            break;
        }
        hooks(&unit, list.wrapping_add(next))?;
        feature.hooks = unit.hooks;
        next += unit.hooks as usize;
    }
    Some(())
}

impl<'a> Attaching<'a> {
    /// What is to be told is known.
    pub fn new(plan: &'a Plan, list: *const Hook) -> Attaching<'a> {
        let core = &header().core;
        let memory = &plan.memory;
        // SAFETY: the installer is one thread, and this is called once.
        let facts = unsafe { &mut *&raw mut FACTS };
        facts.entries = core.end - ENTRIES;
        facts.save = core.save;
        facts.settle = core.settle;
        facts.getter = core.getter;
        facts.known = core.known;
        facts.upcall = core.upcall;
        facts.handles = plan.placed.handles;
        facts.hold = plan.options.hold;
        facts.pool = memory.pool;
        facts.xms_handle = memory.block.handle;
        facts.xms_entry = memory.block.entry;
        facts.migrate = plan.options.migrate;
        facts.segment = plan.ground.segment;
        facts.command = pci::command_address(plan.card.found.pci);
        facts.region = plan.region;
        facts.lines = line_bit(plan.placed.irq);
        facts.int60 = core.int60;
        facts.info = core.info;
        facts.points[POINT_ENTRIES] = facts.entries;
        facts.points[POINT_FUNCTIONS] = core.functions;
        Attaching { plan, list, facts }
    }

    /// What the control interrupt is told of the core and the pool, whose points are known.
    #[inline(never)]
    fn control(&mut self) {
        let facts = &mut *self.facts;
        let ctl = &mut facts.ctl;
        let irq = self.plan.placed.irq;
        let core = &header().core;
        // If the card has no line, the list begins behind this one.
        ctl.hooked[0] = Hooked { number: irq_vector(irq), at: core.irq };
        ctl.hooked[1] = Hooked { number: self.plan.options.vector, at: core.int60 };
        let lone: u8 = peek(address(self.plan.ground.segment, core.state + offset_of!(State, irq_lone) as u16));
        ctl.port = PIC1_MASK as u8 | (irq & 8) << 4;
        ctl.bit = lone << (irq & 7);
        // SAFETY: the two offsets follow each other there.
        ctl.core = unsafe { *(&raw const core.run as *const [u16; 2]) };
        ctl.link = facts.entries + 2 * Entry::Link as u16;
        ctl.pending[0] = self.plan.options.media as u16;
        facts.hold_at = facts.points[POINT_HOLD];
        let slots = facts.pool.slots;
        if slots != 0 {
            if self.plan.memory.block.linear != 0 {
                // Two slots are 3 KB.
                ctl.pending[1] = (slots + slots * 2) >> 1;
            } else {
                ctl.cache = facts.pool_table.at;
                let size = facts.pool_table.end - ctl.cache;
                ctl.span = size - SLOT;
                ctl.migrate = size.min(facts.migrate);
                ctl.full = facts.points[POINT_POOL] + offset_of!(cache::Fields, full) as u16;
            }
        }
        ctl.in_force = ctl.pending;
    }

    /// Carries out the hooks of all features: those with this operation, or with 0 all but [`HOOKS_VECTOR`].
    #[inline(never)]
    fn each(&mut self, op: u8) {
        let mut list = self.list;
        for feature in self.plan.placed.features.iter().take(self.plan.placed.count as usize) {
            self.facts.table = feature.table;
            for _ in 0..feature.hooks {
                // SAFETY: see `read`.
                let hook = unsafe { &*list };
                list = list.wrapping_add(1);
                if hook.op == op || op == 0 && hook.op != HOOKS_VECTOR {
                    self.carry_out(feature, hook);
                }
            }
        }
    }

    /// Does all that is to be done to memory. Nothing can fail.
    pub fn attach(&mut self) {
        self.each(PROVIDES);
        self.control();
        self.each(0);
    }

    /// Hooks the vectors of interrupts.
    pub fn hook(&mut self) {
        self.each(HOOKS_VECTOR);
    }

    /// The offset of what a hook names.
    fn point(&self, number: u8) -> u16 {
        // The remainder is the number without `OPERAND`.
        self.facts.points[number as usize % POINTS]
    }

    #[inline(never)]
    fn carry_out(&mut self, feature: &Feature, hook: &Hook) {
        let segment = self.plan.ground.segment;
        let at = feature.at + hook.at;
        let place = address(segment, at);
        // What is taken off a near address to make it the operand of a near call or jump.
        let next = if hook.what & OPERAND != 0 { at.wrapping_add(2) } else { 0 };
        match hook.op {
            PROVIDES => {
                self.facts.points[hook.what as usize % POINTS] = at;
                if hook.what == POINT_POOL as u8 {
                    self.facts.pool_table = feature.table;
                }
            }
            TAKES => {
                let other = address(segment, self.point(hook.what) + 2 * hook.more);
                let (own, below) = (peek::<u16>(place), peek::<u16>(other));
                poke(place, &below.wrapping_sub(next));
                poke(other, &own);
            }
            CALLED => {
                let patch = header().core.patches.get(hook.what as usize).copied().unwrap_or(0);
                let before = call(segment, patch, at);
                if before != 0 && hook.more != 0 {
                    poke(address(segment, feature.at + hook.more), &before);
                }
            }
            INSTEAD => {
                let point = self.point(hook.what);
                call(segment, point, at);
                poke(address(segment, point + 3), &NOP);
            }
            TOLD => {
                let fact = (&raw mut *self.facts).wrapping_byte_add(hook.more as usize);
                copy_far(own(fact as *mut u8), place, (hook.what & !OPERAND) as u16);
                if next != 0 {
                    poke(place, &peek::<u16>(place).wrapping_sub(next));
                }
            }
            BASED => poke(place, &(peek::<u32>(place) + ((segment as u32) << 4) + ((hook.what as u32) << 20))),
            ONCE => {
                let entry = (segment as u32) << 16 | peek::<u16>(place) as u32;
                far_call(entry, 0, &raw const *self.facts as u32 as u16, 0);
                let tables = feature.at + hook.more;
                fill(address(segment, tables), 0, feature.table.at - tables);
            }
            _ => set_vector(hook.what, segment, at),
        }
    }
}

/// An instruction of one byte without effect.
const NOP: u8 = 0x90;

/// Has the core call a routine at one of its patches; whom it has called there so far, 0: nobody.
#[inline(never)]
fn call(segment: u16, patch: u16, target: u16) -> u16 {
    const CALL: u8 = 0xE8;
    let place = address(segment, patch);
    let next = patch + 3;
    let before = if peek::<u8>(place) == CALL { peek::<u16>(place.plus(1)).wrapping_add(next) } else { 0 };
    poke(place, &CALL);
    poke(place.plus(1), &target.wrapping_sub(next));
    before
}

/// Sets an interrupt vector to an IISP header of ours, which gets the handler before.
#[inline(never)]
pub fn set_vector(number: u8, segment: u16, header: u16) {
    poke(address(segment, header + 2), &vector(number));
    let regs = regs(0x2500 | number as u16);
    regs.ds = segment;
    regs.dx = header;
    regs.interrupt(0x21);
}
