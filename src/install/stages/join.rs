//! The last stage where there are several NICs: as `state` and `stand`, and hands their records to the features `many` and `ifs`
//! or `bond`.

use core::mem::offset_of;

use super::about::total_line;
use super::attach::{self, Attaching, line_bit, set_vector};
use super::gather::gathered_at;
use super::hook::{irq_vector, unmask_line};
use super::state::{give_back, tell};
use super::xms;
use crate::bond::flows::Flow;
use crate::bond::{Fields, Row};
use crate::bus::Addr;
use crate::bus::real::address;
use crate::device::Events;
use crate::info::{FLAG_BOND, Info, NicInfo};
use crate::install::dos::{self, peek, peek_into, poke, regs};
use crate::install::features::{HOOKS_OF_SEVERAL, Hook, POINT_BOND, POINT_CALL, POINT_POOL};
use crate::install::kernel::header;
use crate::install::plan::{DONE, FAILED, Plan};
use crate::resident::several::{self, INTERFACE, Interface, Many, NIC, Nic, Stub};
use crate::resident::table::{CHANGED, PENDING, POLLED, SPECIFIC_EOI};

/// Offset in the core from INT 60h's handler of the instruction that looks at the function's number (asm/int60.asm).
const CALL: u16 = 16;
/// The second controller's level at the first one.
const CASCADE: u8 = 2;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    // Nothing else lies in slot B.
    let list = header().slot_b as u32 as *mut Hook;
    if attach::read(plan, list, HOOKS_OF_SEVERAL).is_none() {
        return FAILED;
    }
    // Nothing fails from here on.
    let (nics, interfaces, segment) = (plan.several.nics, plan.several.interfaces, plan.ground.segment);
    let (many, above) = (feature(plan, nics), feature(plan, interfaces));
    let bonded = plan.is_bond();
    let polled = (0..plan.several.count).any(|number| gathered_at(plan.record(number)).irq == 0);
    if !polled && !bonded {
        give_back(plan);
    }

    // The core is told of the first one, as if that had no interrupt.
    (plan.placed.irq, plan.placed.polled) = (0, true);
    plan.placed.device = peek(plan.record(0).plus(offset_of!(Nic, device) as u16));
    let info = address(segment, header().core.info);
    if bonded {
        (plan.card.name, plan.card.is_pci, plan.card.found.io) = (*b"bond\0\0\0\0\0\0\0\0", false, above);
        plan.card.found.mac = peek(plan.row(0).plus(offset_of!(Row, own) as u16));
    } else {
        plan.options.vector = peek(plan.interface(0).plus(offset_of!(NicInfo, vector) as u16));
    }
    tell(plan);
    if bonded {
        let flags = info.plus(offset_of!(Info, flags) as u16);
        poke(flags, &(peek::<u16>(flags) | FLAG_BOND));
    } else {
        poke(address(segment, header().core.work), &{ copy(plan.interface(0)).nic });
        poke(info.plus(offset_of!(Info, nics) as u16), &interfaces);
        poke(info.plus(offset_of!(Info, nic_count) as u16), &[plan.several.count, INTERFACE as u8]);
    }
    poke(address(segment, PENDING), &(Events::RX.0 | if polled { POLLED } else { 0 }));

    let handlers = (peek::<u16>(address(segment, many + offset_of!(Many, handler) as u16)), peek::<u16>(address(segment, above)));
    for number in 0..plan.several.count {
        let (at, irq) = (plan.record(number), gathered_at(plan.record(number)).irq);
        let calls = nics + number as u16 * NIC + offset_of!(Stub, reset) as u16;
        poke(at, &Stub::new(handlers.0.wrapping_sub(calls)));
        let (mut events, mut line) = (Events::RX.0 | POLLED, 0);
        if irq != 0 {
            events = Events::RX.0;
            let level = (SPECIFIC_EOI | irq & 7) as u16;
            line = if irq < 8 { level } else { level << 8 | (SPECIFIC_EOI | CASCADE) as u16 };
            // One record for each line.
            if (0..number).all(|other| peek::<u16>(plan.record(other).plus(offset_of!(Nic, line) as u16)) != line) {
                poke(at.plus(offset_of!(Nic, slot) as u16), &(irq_vector(irq) as u16 * 4));
            }
        }
        if bonded {
            // All have the bond's address.
            events |= CHANGED & !Events::OPEN.0;
        }
        poke(at.plus(offset_of!(Nic, events) as u16), &events);
        poke(at.plus(offset_of!(Nic, line) as u16), &line);
        if !bonded {
            let calls = interfaces + (number as u16 + 1) * INTERFACE;
            poke(plan.interface(number).plus(offset_of!(Interface, distance) as u16), &handlers.1.wrapping_sub(calls));
        }
    }

    plan.memory.block.entry = xms::entry();
    for number in 0..plan.several.count {
        let at = plan.record(number).plus(offset_of!(Nic, xms) as u16);
        let handle: u16 = peek(at);
        if handle != 0 {
            // The flat feature frees one block, whether there are more or not.
            plan.memory.block.handle = handle;
            poke(at, &0u16);
            break;
        }
    }

    let mut attaching = Attaching::new(plan, list);
    attaching.facts.points[POINT_CALL] = header().core.int60 + CALL;
    attaching.facts.lines = (0..plan.several.count).fold(0, |lines, number| lines | line_bit(irq_of(plan, number)));
    attaching.facts.algorithm = plan.bond.algorithm as u16;
    attaching.facts.mask = (plan.bond.flows - 2) * Flow::SIZE;
    attaching.attach();
    poke(info.plus(offset_of!(Info, pool) as u16), &attaching.facts.points[POINT_POOL]);
    let fields = address(segment, many);
    poke(fields.plus(offset_of!(Many, rx) as u16), &nics);
    poke(fields.plus(offset_of!(Many, out) as u16), &nics);
    poke(fields.plus(offset_of!(Many, count) as u16), &(plan.several.count as u16));
    if bonded {
        let fields = address(segment, attaching.facts.points[POINT_BOND]);
        poke(fields, &plan.bond.begin);
        poke(fields.plus(offset_of!(Fields, left) as u16), &plan.bond.begin.period);
        hook_vector(plan.options.vector, segment, header().core.int60);
    } else {
        poke(fields.plus(offset_of!(Many, current) as u16), &interfaces);
        for number in 0..plan.several.count {
            let at = interfaces + number as u16 * INTERFACE;
            let vector = copy(plan.interface(number)).nic.vector;
            if vector != 0 {
                poke(address(segment, at + offset_of!(Interface, old) as u16), &dos::vector(vector));
                hook_vector(vector, segment, at + offset_of!(Interface, stub) as u16);
            }
        }
    }
    attaching.hook();
    for number in 0..plan.several.count {
        let irq = irq_of(plan, number);
        if peek::<u16>(plan.record(number).plus(offset_of!(Nic, slot) as u16)) != 0 {
            set_vector(irq_vector(irq), segment, nics + number as u16 * NIC);
        }
        if irq != 0 {
            unmask_line(irq);
        }
    }
    // The way out of any call unmasks the cards' interrupts.
    regs(0x0100).interrupt(plan.options.vector);
    total_line(plan);
    DONE
}

/// Sets a vector.
#[inline(never)]
fn hook_vector(number: u8, segment: u16, at: u16) {
    let set = regs(0x2500 | number as u16);
    set.ds = segment;
    set.dx = at;
    set.interrupt(0x21);
}

/// The line of a NIC, from the ends of interrupt in its record; 0: none.
#[inline(never)]
fn irq_of(plan: &Plan, number: u8) -> u8 {
    several::irq_of(peek(plan.record(number).plus(offset_of!(Nic, line) as u16)))
}

fn copy(at: Addr) -> Interface {
    // SAFETY: all of it is numbers.
    let mut interface: Interface = unsafe { core::mem::zeroed() };
    peek_into(at, &mut interface);
    interface
}

/// Where the feature lies whose table is there.
#[inline(never)]
fn feature(plan: &Plan, table: u16) -> u16 {
    let mut all = plan.placed.features.iter().take(plan.placed.count as usize);
    all.find(|feature| feature.table.at == table).map_or(0, |feature| feature.at)
}
