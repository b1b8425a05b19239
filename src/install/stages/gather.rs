//! Several NICs, one after the other: says which one is searched for, takes memory for a card that was found, and keeps what
//! is known of one that was started in its record.

use core::mem::offset_of;

use super::about::{card_line, nic};
use super::hook::line_masked;
use super::list::{part, vector_of};
use super::place::{PSP_SIZE, core, driver, rings, take_extended};
use super::switches::{Want, want};
use super::vds::is_there;
use crate::bus::Addr;
use crate::bus::either::in_v86;
use crate::bus::real::{Machine, address, code_segment};
use crate::info::{BLOCK_INSTANCE, BLOCK_INTERFACES, BLOCK_NIC, BLOCK_NICS, NOT_PCI};
use crate::install::dos::{from_device, peek, peek_into, poke};
use crate::install::features::needs;
use crate::install::header::number;
use crate::install::kernel::run::PSP_PARAS;
use crate::install::kernel::{caller, explain_failure, of_nic, unit};
use crate::install::lines::Line;
use crate::install::plan::{FAILED, FIRST, FOUND, Ground, LOST, Plan, QUIT, XmsBlock};
use crate::probe::{NO_XMS, pci};
use crate::resident::several::{Gathered, INTERFACE, Interface, NIC, Nic, SIGNATURE, Stub};

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    gather(plan).unwrap_or(FAILED)
}

impl Plan {
    /// A NIC's record.
    pub fn record(&self, number: u8) -> Addr {
        address(self.ground.segment, self.several.nics + number as u16 * NIC)
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
        _ => keep(plan),
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
    plan.needs = needs::TICK | needs::SEVERAL | plan.options.needs;
    core(plan)?;
    let count = plan.several.count as u16;
    plan.several.nics = plan.zeros(BLOCK_NICS, count * NIC)?;
    plan.several.interfaces = plan.zeros(BLOCK_INTERFACES, count * INTERFACE)?;
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
    } else if several.done != 0 {
        plan.options.vector = 0;
    }
    // Slot A begins where the segment does.
    let slot = (code_segment() - plan.ground.segment) << 4;
    plan.reserve(plan.ground.limit - slot)?;
    Some(())
}

/// The record of the interface that the next card will be. Until then it keeps the ground as it was before that card.
fn kept(plan: &Plan) -> Addr {
    const { assert!(size_of::<Ground>() <= INTERFACE as usize) };
    plan.interface(plan.several.done)
}

/// The card that was found did not start: says why, gives its memory back, and notes that it is not to be found again.
#[inline(never)]
fn lose(plan: &mut Plan) {
    explain_failure(plan);
    let limit = plan.ground.limit;
    let at = kept(plan);
    peek_into(at, &mut plan.ground);
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
    poke(kept(plan), &plan.ground);
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
        iface: plan.several.interfaces + plan.several.done as u16 * INTERFACE,
    };
    let at = plan.record(plan.several.done);
    poke(at, &nic);
    let flat = if flat { needs::of_flat(card.found.flat) } else { 0 };
    poke(at, &Gathered { command: card.command, nic: card.nic, driver: number, irq: 0, flat: flat as u16 });
    Some(())
}

/// Keeps what is known of the card that was started.
#[inline(never)]
fn keep(plan: &mut Plan) {
    let number = plan.several.done;
    let (at, irq) = (plan.record(number), plan.placed.irq);
    let (mut nic, mut gathered) = (nic_at(at), gathered_at(at));
    nic.xms = plan.memory.block.handle;
    nic.lone = (irq != 0 && line_masked(irq)) as u8;
    gathered.irq = irq;
    poke(at, &nic);
    poke(at, &gathered);
    plan.memory.block = XmsBlock::NONE;
    plan.device = 0;
    let interface = Interface {
        nic: self::nic(plan),
        groups: [0; 52],
        device: nic.device as u32,
        known: [0; 4],
        open: 0,
        number,
        out: plan.several.nics + number as u16 * NIC,
        old: 0,
        stub: SIGNATURE,
        call: 0xE8,
        distance: 0,
    };
    poke(plan.interface(number), &interface);
    plan.several.done += 1;
    card_line(plan, number);
}
