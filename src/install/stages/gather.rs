//! Several NICs, one after the other: says which one is searched for, and takes memory for a card that was found.

use core::mem::offset_of;

use super::list::{part, vector_of};
use super::place::{PSP_SIZE, core, driver, rings, take_extended};
use super::switches::{Want, want};
use super::vds::is_there;
use crate::bond::{BALANCE, Row, STANDBY, TRUNK};
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::{Machine, address, code_segment};
use crate::info::{BLOCK_BOND, BLOCK_INSTANCE, BLOCK_INTERFACES, BLOCK_NIC, BLOCK_NICS, NOT_PCI};
use crate::install::dos::{from_device, peek, peek_into, poke};
use crate::install::features::{FEATURES, needs};
use crate::install::header::number;
use crate::install::kernel::run::PSP_PARAS;
use crate::install::kernel::{caller, explain_failure, of_nic, say, unit};
use crate::install::lines::Line;
use crate::install::plan::{FAILED, FIRST, FOUND, Feature, Ground, LOST, Plan, QUIT};
use crate::probe::{NO_XMS, pci};
use crate::resident::several::{Gathered, INTERFACE, NIC, Nic, Stub};

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    gather(plan).unwrap_or(FAILED)
}

impl Plan {
    /// A NIC's record.
    pub fn record(&self, number: u8) -> Addr {
        address(self.ground.segment, self.several.nics + number as u16 * NIC)
    }

    /// Whether the NICs are a bond.
    pub fn is_bond(&self) -> bool {
        self.bond.begin.period != 0
    }

    /// A NIC's row in the bond.
    pub fn row(&self, number: u8) -> Addr {
        address(self.ground.segment, self.several.interfaces + number as u16 * Row::SIZE)
    }

    /// An interface's record.
    pub fn interface(&self, number: u8) -> Addr {
        address(self.ground.segment, self.several.interfaces + number as u16 * INTERFACE)
    }
}

/// A NIC's record as it is now.
pub fn nic_at(record: Addr) -> Nic {
    // SAFETY: all of it is numbers.
    let mut nic: Nic = unsafe { core::mem::zeroed() };
    peek_into(record, &mut nic);
    nic
}

/// What is known of a card that was gathered; its NIC's record is still without a handler.
pub fn gathered_at(record: Addr) -> Gathered {
    let mut gathered = Gathered::default();
    peek_into(record, &mut gathered);
    gathered
}

/// None: the plan has failed.
fn gather(plan: &mut Plan) -> Option<u8> {
    match plan.several.step {
        FIRST => {
            if plan.several.vectors > plan.several.count {
                plan.fail(Line::Vectors, 0);
                return Some(QUIT);
            }
            if plan.several.count == 1 {
                if plan.is_bond() {
                    say(Line::Unbonded, b" ", 0);
                }
                plan.several.count = 0;
                return Some(number::SEARCH);
            }
            begin(plan)?;
        }
        FOUND => {
            place(plan)?;
            return Some(number::START_CARD);
        }
        LOST => {
            lose(plan);
            if plan.several.count == 0 {
                return Some(QUIT);
            }
        }
        _ => {}
    }
    if plan.several.done == plan.several.count {
        return Some(number::REST);
    }
    next(plan)?;
    Some(number::SEARCH)
}

/// Takes memory for the core and the records.
#[inline(never)]
fn begin(plan: &mut Plan) -> Option<()> {
    let image = caller().load_segment;
    let segment = if from_device() { image } else { image - PSP_SIZE + PSP_PARAS };
    plan.ground = Ground::new(segment, number::JOIN)?;
    plan.ground.merges = true;
    let (need, kind, size) = if plan.is_bond() { (needs::BOND, BLOCK_BOND, Row::SIZE) } else { (needs::IFS, BLOCK_INTERFACES, INTERFACE) };
    let spread = match plan.bond.begin.mode {
        STANDBY => 0,
        BALANCE => needs::FLOWS,
        TRUNK => needs::FLOWS | needs::DOUBLES,
        _ => needs::FLOWS | needs::LACP,
    };
    plan.needs = needs::TICK | needs::SEVERAL | need | spread | plan.options.needs;
    core(plan)?;
    let count = plan.several.count as u16;
    plan.several.nics = plan.zeros(BLOCK_NICS, count * NIC)?;
    plan.several.interfaces = plan.zeros(kind, count * size)?;
    Some(())
}

/// Says which card and vector are next, and sees to it that the stages of slot A do not lie over what was placed.
#[inline(never)]
fn next(plan: &mut Plan) -> Option<()> {
    let several = &mut plan.several;
    plan.options.nic = Want::Any;
    if several.name != 0 {
        let (name, behind) = part(several.name);
        several.name = behind;
        plan.options.nic = want(name)?;
    }
    if several.vector != 0 {
        let (text, behind) = part(several.vector);
        several.vector = behind;
        plan.options.vector = vector_of(text)?;
    } else if several.done != 0 && plan.bond.begin.period == 0 {
        plan.options.vector = 0;
    }
    // Slot A begins where the segment does.
    let slot = (code_segment() - plan.ground.segment) << 4;
    plan.reserve(plan.ground.limit - slot)?;
    Some(())
}

/// Where the ground is kept as it was before the next card: nothing is listed there until all cards are started.
fn kept(plan: &mut Plan) -> *mut Ground {
    const { assert!(size_of::<Ground>() <= size_of::<[Feature; FEATURES]>()) };
    &raw mut plan.placed.features as *mut Ground
}

/// The card that was found did not start: says why, gives its memory back, and notes that it is not to be found again.
#[inline(never)]
fn lose(plan: &mut Plan) {
    explain_failure(plan);
    let limit = plan.ground.limit;
    // SAFETY: `place` has left it there.
    plan.ground = unsafe { *kept(plan) };
    plan.ground.limit = limit;
    plan.several.count -= 1;
    let (at, card) = (plan.record(plan.several.count), &plan.card);
    poke(at.plus(offset_of!(Nic, io) as u16), &card.found.io);
    let mut place = NOT_PCI;
    if card.is_pci {
        place = card.found.pci;
        pci::set_command(&Machine, place, card.command);
    }
    poke(at.plus(offset_of!(Nic, pci) as u16), &place);
}

/// Takes memory for the card that was found.
#[inline(never)]
fn place(plan: &mut Plan) -> Option<()> {
    let ground = plan.ground;
    // SAFETY: see there.
    unsafe { *kept(plan) = ground };
    let found = &mut plan.card.found;
    if found.plain {
        // It is driven without rings.
        found.rings_low = 0;
        found.rings_xms &= NO_XMS;
    }
    if plan.is_rom() {
        // Interrupts take the place of polling there.
        plan.card.found.irq = 0;
    }
    plan.two_ways = false;
    take_extended(plan);
    let found = &plan.card.found;
    let flat = plan.memory.rings != 0 || found.mem != 0 && !in_v86();
    if !flat && found.rings_low != 0 && (is_there() || in_v86()) {
        plan.fail(Line::OneInV86, 0);
        return None;
    }
    let number = of_nic(plan.card.nic, driver(found, flat));
    let mut entries = 0;
    for other in 0..plan.several.done {
        let at = plan.record(other);
        if peek::<u8>(at.plus(offset_of!(Gathered, driver) as u16)) == number {
            entries = peek(at.plus(offset_of!(Nic, entries) as u16));
        }
    }
    if entries == 0 {
        entries = plan.read(BLOCK_NIC, &unit(number)?, 0)?;
    }
    plan.placed.device_size = unit(of_nic(plan.card.nic, number::START))?.table;
    plan.placed.device = plan.zeros(BLOCK_INSTANCE, plan.placed.device_size)?;
    rings::<false>(plan)?;
    let card = &plan.card;
    let nic = Nic {
        stub: Stub::new(0),
        events: 0,
        slot: 0,
        line: 0,
        lone: 0,
        entries,
        device: plan.placed.device,
        xms: 0,
        pci: if card.is_pci { card.found.pci } else { NOT_PCI },
        io: card.found.io,
        iface: if plan.is_bond() { 0 } else { plan.several.interfaces + plan.several.done as u16 * INTERFACE },
    };
    let at = plan.record(plan.several.done);
    poke(at, &nic);
    let flat = if flat { needs::of_flat(card.found.flat) } else { 0 };
    poke(at, &Gathered { command: card.command, nic: card.nic, driver: number, irq: 0, flat: flat as u16 });
    Some(())
}
