//! The installation, stage by stage. Until the last one, nothing of the machine is changed for good.

use super::{caller, file, header};
use crate::bus::real::{Machine, address, code_segment};
use crate::install::dos::{self, from_device, peek, poke, regs, request};
use crate::install::header::{SLOT_FIRST, SLOT_SECOND, StageHeader, StartHeader, Unit, number};
use crate::install::kernel::{Near, explain_failure};
use crate::install::plan::{DONE, FAILED, FOUND, GOES, LOST, Plan, QUIT, UNDO, XmsBlock};
use crate::probe::{NO_XMS, pci};
use crate::resident::table::Region;

// SAFETY: zeros are a value of everything in it.
static mut PLAN: Plan = unsafe { core::mem::zeroed() };

/// The plan, for the kernel's other files.
#[inline(always)]
pub fn plan() -> *mut Plan {
    &raw mut PLAN
}

/// What is kept of the PSP: DOS needs its first 60h bytes until the program has ended.
pub const PSP_PARAS: u16 = 6;

/// Runs the stages; returns only to DOS's INIT request.
pub fn install() {
    // SAFETY: the installer is one thread, and a stage gives its reference back.
    let plan = unsafe { &mut *&raw mut PLAN };
    // The pack step has put the first stage into its slot.
    let mut next = run(header().slot_b, plan);
    loop {
        next = match next {
            DONE => return done(plan.ground.next >> 4),
            QUIT if plan.several.done != 0 => {
                plan.several.step = UNDO;
                number::START_CARD
            }
            QUIT if plan.old.state == GOES => break,
            QUIT => number::BACK,
            FAILED => {
                give_back(plan);
                if plan.several.step == FOUND {
                    // The others are gathered without this card.
                    plan.several.step = LOST;
                    next = number::GATHER;
                    continue;
                }
                if !plan.two_ways {
                    next = QUIT;
                    continue;
                }
                // No line is printed while there is another way.
                plan.two_ways = false;
                plan.failure = 0;
                plan.card.found.rings_xms &= NO_XMS;
                plan.card.found.rings_low = 0;
                number::PLACE
            }
            stage => match place(stage) {
                Some(at) => run(at, plan),
                // The driver stands already.
                None if stage == number::REPORT => DONE,
                None => {
                    plan.old.state = GOES;
                    FAILED
                }
            },
        }
    }
    if plan.card.is_pci {
        pci::set_command(&Machine, plan.card.found.pci, plan.card.command);
    }
    explain_failure(plan);
    file::close();
    refuse(plan.exit);
}

/// Runs the stage at an offset.
#[inline(never)]
fn run(at: u16, plan: &mut Plan) -> u8 {
    // SAFETY: the pack step or `place` put a stage there, whose header this is.
    let stage = unsafe { &*(at as u32 as *const StageHeader) };
    (stage.run)(plan)
}

/// Reads a stage to its slot; where it lies.
#[inline(never)]
fn place(number: u8) -> Option<u16> {
    let mut stage = Unit::EMPTY;
    if !file::unit(number, &mut stage) {
        return None;
    }
    let at = match stage.bus {
        SLOT_FIRST => 0,
        SLOT_SECOND => header().slot_b,
        _ => last(&stage),
    };
    file::load(&stage, &Near { segment: code_segment(), at }).then_some(at)
}

/// Where a stage lies that is at slot A's end.
pub fn last(stage: &Unit) -> u16 {
    // The kernel begins where the slot ends.
    header() as *const _ as u32 as u16 - ((stage.total + 15) & !15)
}

/// Gives back what an attempt took: the card is stopped, extended memory freed, the DMA services' lock opened.
#[inline(never)]
fn give_back(plan: &mut Plan) {
    if plan.device != 0 {
        // SAFETY: the unit that started the card still lies in slot B.
        let unit = unsafe { &*(header().slot_b as u32 as *const StartHeader) };
        (unit.stop)(plan.device as u32 as *mut u8);
        plan.device = 0;
    }
    plan.memory.block.free();
    plan.memory.block = XmsBlock::NONE;
    if plan.region.size != 0 {
        plan.region.unlock();
        plan.region = Region::default();
    }
}

/// Leaves the driver standing.
#[inline(never)]
fn done(paragraphs: u16) {
    file::close();
    if from_device() {
        let segment = caller().load_segment;
        // From now on the device's own routines answer.
        poke(address(segment, 6), &[header().core.strategy, header().core.interrupt]);
        answer(0x0100, segment + paragraphs);
        return;
    }
    let psp = caller().psp;
    let environment = address(psp, 0x2C);
    let free = regs(0x4900);
    free.es = peek::<u16>(environment);
    free.interrupt(0x21);
    poke(environment, &0u16);
    close_all(psp);
    let stay = regs(0x3100);
    stay.dx = PSP_PARAS + paragraphs;
    stay.interrupt(0x21);
}

/// Closes all files of the program. DOS does not do so when a program stays, and a file to which its output was
/// redirected would stay open as long as DOS runs.
fn close_all(psp: u16) {
    /// In the PSP: how many handles it has.
    const HANDLES: u16 = 0x32;
    for handle in 0..peek::<u16>(address(psp, HANDLES)) {
        let close = regs(0x3E00);
        close.bx = handle;
        close.interrupt(0x21);
    }
}

/// Leaves nothing.
#[inline(never)]
fn refuse(code: u8) {
    if !from_device() {
        dos::exit(code);
    }
    // Error without done, and an end at the header: every DOS takes at least one of them for a refusal.
    answer(0x8003, caller().load_segment);
}

fn answer(status: u16, end: u16) {
    poke(request().plus(3), &status);
    poke(request().plus(0x0E), &((end as u32) << 16));
}
