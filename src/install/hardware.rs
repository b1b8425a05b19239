//! Which NIC: PCI functions in their order, then ISA's probes in theirs, until a card is found that nobody has.

use super::dos::{far, peek, peek_into, regs, vector};
use super::header::{BUS_PCI, KIND_PROBE, PROBE_MAGIC, ProbeHeader, Unit};
use super::load::Units;
use super::print::Hex;
use super::switches::{Options, Want};
use crate::bus::real::{Machine, address, code_segment};
use crate::info::{Info, LAYOUT, NOT_PCI, NicInfo, SIGNATURE};
use crate::line;
use crate::probe::{Ask, Fault, Found, TAKEN, pci};

/// A card and the probe that found it, which lies in the overlay until the next one is loaded.
pub struct Probe {
    /// The probe's unit; the driver's has the same name.
    pub unit: Unit,
    /// The card.
    pub found: Found,
    /// PCI: the command register as it was.
    command: u32,
}

impl Probe {
    /// The probe's entry points.
    pub fn header(&self) -> &'static ProbeHeader {
        overlay()
    }

    /// Room for the device, behind the probe.
    pub fn device(&self) -> *mut u8 {
        let at = (&raw const __overlay as u32).wrapping_add(self.unit.total as u32 + 3);
        (at & !3) as *mut u8
    }

    /// The card is not taken after all.
    pub fn let_go(&self) {
        if self.unit.bus == BUS_PCI {
            pci::set_command(&Machine, self.found.pci, self.command);
        }
    }
}

unsafe extern "C" {
    /// Where probes come to lie (linker/installer.ld); the pack step has seen to it that there is room for the largest
    /// and its device.
    static mut __overlay: u32;
}

fn overlay() -> &'static ProbeHeader {
    // SAFETY: `load` read a unit to this place whose magic it checked; nothing writes there while it is in use.
    unsafe { &*(&raw const __overlay as *const ProbeHeader) }
}

#[inline(never)]
fn load(units: &Units, unit: &Unit) -> Option<()> {
    units.load(unit, code_segment(), &raw const __overlay as u32 as u16)?;
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
    let regs = regs(0x8000);
    let answered = regs.interrupt(number);
    let at = address(regs.es, regs.di);
    if !answered || peek::<[u8; 4]>(at) != SIGNATURE || peek::<u8>(at.plus(4)) != LAYOUT {
        return None;
    }
    // SAFETY: both are plain data, for which zero is a value.
    let (mut info, mut nic): (Info, NicInfo) = unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    peek_into(at, &mut info);
    peek_into(address(info.segment, info.nics), &mut nic);
    Some((info, nic))
}

/// What other copies of this driver have.
struct Others {
    ports: [u16; TAKEN],
    places: [u16; TAKEN],
    count: u8,
}

/// Asks the other copies. None: one of them has the card that the user wants, and a line has said so.
#[inline(never)]
fn others(options: &Options) -> Option<Others> {
    let mut others = Others { ports: [0; TAKEN], places: [NOT_PCI; TAKEN], count: 0 };
    for number in 0x60..=0x80 {
        let Some((_, nic)) = ours(number) else { continue };
        let wanted = match options.nic {
            Want::Pci(place) => place == nic.pci,
            Want::Mac(mac) => mac == nic.rom,
            _ => false,
        };
        if wanted || options.io != 0 && options.io == nic.io {
            line!(nic.name, ": this card belongs to the driver on INT ", Hex(number as u32), "h; leave /IO= and /NIC= out to take another");
            return None;
        }
        let at = others.count as usize;
        if let (Some(port), Some(place)) = (others.ports.get_mut(at), others.places.get_mut(at)) {
            *port = nic.io;
            *place = nic.pci;
            others.count += 1;
        }
    }
    Some(others)
}

fn name_is(unit: &Unit, name: &[u8]) -> bool {
    let end = unit.name.iter().position(|byte| *byte == 0).unwrap_or(unit.name.len());
    unit.name.get(..end).is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// One look at one candidate: the card, or a fault that was said where it was worth a line.
fn look(units: &Units, unit: &Unit, options: &Options, ask: &Ask, command: u32) -> Result<Probe, Fault> {
    let mut found = Found::default();
    let mut fault = Fault::from((overlay().find)(ask, &mut found));
    if fault.is_none() && found.media != ask.media {
        fault = Some(Fault::Media);
    }
    if let Some(fault) = fault {
        super::place::explain(units, unit, fault);
        return Err(fault);
    }
    match options.nic {
        Want::Mac(mac) if mac != found.mac => Err(Fault::Nothing),
        _ => Ok(Probe { unit: *unit, found, command }),
    }
}

/// Finds the card, or says in one line why there is none.
#[inline(never)]
pub fn find(units: &Units, options: &Options) -> Option<Probe> {
    let mut search = Search { units, options, others: others(options)?, said: false };
    let named = (0..).map_while(|index| units.get(index)).any(|unit| unit.kind == KIND_PROBE && search.wanted(&unit));
    if !named {
        if let Want::Name(name) = options.nic {
            line!("/NIC=", name, ": no such driver; 3COMPKT /? lists them");
        }
        return None;
    }
    let mut found = None;
    if options.io == 0 {
        found = search.pci();
    }
    if found.is_none() && !matches!(options.nic, Want::Pci(_)) {
        found = search.isa();
    }
    if found.is_none() && !search.said {
        if options.io != 0 {
            line!("no NIC answers at port ", Hex(options.io as u32), "h; check the card's jumpers or leave /IO= out");
        } else if options.nic != Want::Any {
            line!("/NIC=: no such card is free; leave it out to take the first one");
        } else {
            let other = if search.others.count != 0 { "other " } else { "" };
            line!("no ", other, "NIC found; give /IO= and /IRQ= if there is one");
        }
    }
    found
}

struct Search<'a> {
    units: &'a Units,
    options: &'a Options<'a>,
    others: Others,
    said: bool,
}

impl Search<'_> {
    fn wanted(&self, unit: &Unit) -> bool {
        match self.options.nic {
            Want::Name(name) => name_is(unit, name),
            _ => true,
        }
    }

    fn ask(&self, index: u8, place: u16) -> Ask {
        Ask { index, irq: self.options.irq, io: self.options.io, pci: place, taken: self.others.ports, media: self.options.media, waits: self.options.waits }
    }

    fn probes(&self) -> impl Iterator<Item = Unit> {
        let units = self.units;
        (0..).map_while(|index| units.get(index)).filter(|unit| unit.kind == KIND_PROBE)
    }

    #[inline(never)]
    fn pci(&mut self) -> Option<Probe> {
        super::pci::find(|place, id| {
            let elsewhere = matches!(self.options.nic, Want::Pci(wanted) if wanted != place);
            if elsewhere || self.others.places.contains(&place) {
                return None;
            }
            let unit = self.probes().find(|unit| unit.bus == BUS_PCI && self.wanted(unit) && self.units.knows(unit, id))?;
            load(self.units, &unit)?;
            let command = pci::command(&Machine, place);
            look(self.units, &unit, self.options, &self.ask(0, place), command)
                .map_err(|fault| {
                    pci::set_command(&Machine, place, command);
                    self.said |= fault != Fault::Nothing;
                })
                .ok()
        })
    }

    #[inline(never)]
    fn isa(&mut self) -> Option<Probe> {
        let units = self.units;
        for unit in (0..).map_while(|index| units.get(index)) {
            if unit.kind != KIND_PROBE || unit.bus == BUS_PCI || !self.wanted(&unit) {
                continue;
            }
            load(self.units, &unit)?;
            for index in 0..=u8::MAX {
                match look(self.units, &unit, self.options, &self.ask(index, 0), 0) {
                    Ok(probe) => return Some(probe),
                    Err(Fault::End) => break,
                    // Another driver may know the same card, and would say the same.
                    Err(Fault::Media) => {
                        self.said = true;
                        return None;
                    }
                    Err(fault) => self.said |= fault != Fault::Nothing,
                }
            }
        }
        None
    }
}
