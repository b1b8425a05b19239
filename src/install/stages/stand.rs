//! The last stage: attaches the features and hooks the vectors; from then on the driver is there.

use core::mem::offset_of;

use super::about::banner;
use super::attach::{self, Attaching, set_vector};
use super::hook::{irq_vector, unmask_line};
use super::start::starter_unit;
use crate::bus::real::address;
use crate::info::Info;
use crate::install::dos::{poke, regs};
use crate::install::features::{ALL_HOOKS, Hook, POINT_POOL};
use crate::install::kernel::header;
use crate::install::plan::{FAILED, Plan};

/// How the features attach, one behind the other. Not on the stack, which has no room for it.
static mut LIST: [Hook; ALL_HOOKS] = [attach::NO_HOOK; ALL_HOOKS];

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    if attach::read(plan, &raw mut LIST as *mut _, ALL_HOOKS).is_none() {
        return FAILED;
    }

    // Nothing fails from here on.
    let mut attaching = Attaching::new(plan, &raw const LIST as *const _);
    attaching.attach();
    let info = address(plan.ground.segment, header().core.info);
    poke(info.plus(offset_of!(Info, pool) as u16), &attaching.facts.points[POINT_POOL]);
    let (segment, irq, number) = (plan.ground.segment, plan.placed.irq, plan.options.vector);
    let int60 = regs(0x2500 | number as u16);
    int60.ds = segment;
    int60.dx = header().core.int60;
    int60.interrupt(0x21);
    attaching.hook();
    if irq != 0 {
        set_vector(irq_vector(irq), segment, header().core.irq);
        unmask_line(irq);
    }
    (starter_unit().unmask)(plan.device as u32 as *mut u8);
    banner(plan);
    plan.next
}
