//! Which NIC: every probe in its order, until one finds a card that nobody has.

use super::dos::{far, interrupt, peek, peek_into, vector};
use super::header::{KIND_PROBE, PROBE_MAGIC, ProbeHeader, Unit};
use super::load::Units;
use super::switches::Options;
use crate::bus::Addr;
use crate::bus::real::code_segment;
use crate::info::{Info, LAYOUT, NicInfo, SIGNATURE};
use crate::line;
use crate::probe::{Ask, Fault, Found, TAKEN};

/// Room for the largest probe.
const OVERLAY: usize = 4096;

#[repr(C, align(16))]
struct Overlay([u8; OVERLAY]);

static mut OVERLAY_ROOM: Overlay = Overlay([0; OVERLAY]);

/// A card and the probe that found it, which lies in the overlay until the next `Probe::load`.
pub struct Probe {
    /// The probe's unit; the driver's has the same name.
    pub unit: Unit,
    /// The card.
    pub found: Found,
}

impl Probe {
    /// The probe's entry points.
    pub fn header(&self) -> &'static ProbeHeader {
        overlay()
    }
}

fn overlay() -> &'static ProbeHeader {
    // SAFETY: `load` read a unit to this place whose magic it checked; nothing writes there while it is in use.
    unsafe { &*(&raw const OVERLAY_ROOM as *const ProbeHeader) }
}

fn load(units: &Units, unit: &Unit) -> Option<()> {
    if unit.total as usize > OVERLAY {
        return None;
    }
    units.load(unit, code_segment(), &raw const OVERLAY_ROOM as u32 as u16)?;
    (overlay().magic == PROBE_MAGIC).then_some(())
}

/// True when a packet driver answers at this vector.
pub fn is_packet_driver(number: u8) -> bool {
    let entry = vector(number);
    entry != 0 && peek::<[u8; 9]>(far(entry).plus(3)) == *b"PKT DRVR\0"
}

/// The information block of our own driver at this vector.
#[inline(never)]
pub fn ours(number: u8) -> Option<(Info, NicInfo)> {
    if !is_packet_driver(number) {
        return None;
    }
    let mut regs = super::dos::Regs::new(0x8000);
    interrupt(number, &mut regs);
    let at = crate::bus::real::address(regs.es, regs.di as u16);
    if regs.carry() || peek::<[u8; 4]>(at) != SIGNATURE || peek::<u8>(at.plus(4)) != LAYOUT {
        return None;
    }
    // SAFETY: both are plain data, for which zero is a value.
    let (mut info, mut nic): (Info, NicInfo) = unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    peek_into(at, &mut info);
    peek_into(at.plus(info.size as u16), &mut nic);
    Some((info, nic))
}

/// The ports of the NICs that other copies of this driver have.
#[inline(never)]
fn taken() -> [u16; TAKEN] {
    let mut ports = [0; TAKEN];
    let others = (0x60..=0x80).filter_map(ours).map(|(_, nic)| nic.io);
    ports.iter_mut().zip(others).for_each(|(port, io)| *port = io);
    ports
}

fn name_is(unit: &Unit, name: &[u8]) -> bool {
    let end = unit.name.iter().position(|byte| *byte == 0).unwrap_or(unit.name.len());
    unit.name.get(..end).is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// Says in one line what is wrong with a card.
pub fn explain(unit: &Unit, fault: Fault) {
    let why = match fault {
        Fault::Dead => ": the card is there but does not answer; reset the machine or try another slot",
        Fault::Eeprom => ": the card's EEPROM holds no valid address; repair it with the card's own setup program",
        Fault::Irq => ": the card's IRQ cannot be used; give /IRQ= or set another one with the card's setup program",
        Fault::Resources => ": the card has no ports or collides with another; set it up with its setup program",
        Fault::Memory => ": too little memory for the card's rings; load HIMEM.SYS first",
        Fault::Nothing | Fault::End => return,
    };
    line!(unit.name, why);
}

/// Finds the card, or says in one line why there is none.
#[inline(never)]
pub fn find(units: &Units, options: &Options) -> Option<Probe> {
    let mut known = options.nic.is_empty();
    let mut said = false;
    let taken = taken();
    for unit in (0..).map_while(|index| units.get(index)).filter(|unit| unit.kind == KIND_PROBE) {
        if !options.nic.is_empty() && !name_is(&unit, options.nic) {
            continue;
        }
        known = true;
        load(units, &unit)?;
        for index in 0..=u8::MAX {
            let ask = Ask { index, irq: options.irq, io: options.io, pci: 0, taken };
            let mut found = Found::default();
            match Fault::from((overlay().find)(&ask, &mut found)) {
                None => return Some(Probe { unit, found }),
                Some(Fault::End) => break,
                Some(fault) => {
                    said |= fault != Fault::Nothing;
                    explain(&unit, fault);
                }
            }
        }
    }
    if !known {
        line!("/NIC=", options.nic, ": no such driver; 3COMPKT /? lists them");
    } else if !said && options.io != 0 {
        line!("no NIC answers at port ", super::print::Hex(options.io as u32), "h; check the card's jumpers or leave /IO= out");
    } else if !said {
        line!("no NIC found; give /IO= and /IRQ= if there is one");
    }
    None
}

/// Just before a probe runs its `start`, for parts that need it.
pub const NO_RINGS: crate::probe::Rings = crate::probe::Rings { linear: Addr(0), physical: 0, len: 0 };
