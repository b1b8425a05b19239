//! Which NIC: PCI functions in their order, then ISA's probes in theirs, until a card is found that nobody has. What asks
//! other packet drivers lies where the first probe is read to, and is called before.

use super::dos::{far, peek, peek_into, regs, vector};
use super::header::{BUS_PCI, KIND_PROBE, PROBE_MAGIC, ProbeHeader, Unit};
use super::lines::Line;
use super::load::Units;
use super::pci::Functions;
use super::switches::{Options, Want};
use crate::bus::real::{Machine, address, code_segment};
use crate::info::{Info, LAYOUT, NOT_PCI, NicInfo, SIGNATURE};
use crate::probe::{Ask, Fault, Found, TAKEN, VECTORS, is_station, pci};

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

/// Reads a probe to the overlay.
#[inline(never)]
fn load(units: &Units, unit: &Unit) -> Option<()> {
    units.load(unit, code_segment(), &raw const __overlay as u32 as u16)?;
    if overlay().magic == PROBE_MAGIC { Some(()) } else { units.damage() }
}

/// True when a packet driver answers at this vector.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
pub fn is_packet_driver(number: u8) -> bool {
    let entry = vector(number);
    entry != 0 && peek::<[u8; 9]>(far(entry).plus(3)) == *b"PKT DRVR\0"
}

/// The information block of our own driver at this vector.
#[inline(never)]
#[unsafe(link_section = ".early_code")]
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

/// Finds the card, or says in one line why there is none.
#[inline(never)]
pub fn find(units: &Units, options: &Options) -> Option<Probe> {
    let mut search = Search { units, options, ports: [0; TAKEN], places: [NOT_PCI; TAKEN], others: false, said: false };
    search.ask_others()?;
    if search.probe(&mut 0).is_none() {
        if let Want::Name(name) = options.nic {
            units.say(Line::NoDriver, name, 0);
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
        let line = match options.nic {
            _ if options.io != 0 => Line::NoPort,
            Want::Any if search.others => Line::NoOther,
            Want::Any => Line::NoNic,
            _ => Line::NoCard,
        };
        units.say(line, b"", options.io);
    }
    found
}

struct Search<'a> {
    units: &'a Units,
    options: &'a Options<'a>,
    /// Cards of other copies of this driver, by the vectors that the copies are on: their first ports,
    ports: [u16; TAKEN],
    /// and their places on PCI.
    places: [u16; TAKEN],
    /// There are other copies.
    others: bool,
    /// A line has said what is wrong with a card.
    said: bool,
}

impl Search<'_> {
    /// Asks the other copies. None: one of them has the card that the user wants, and a line has said so.
    #[inline(never)]
    fn ask_others(&mut self) -> Option<()> {
        let Options { nic: want, io, .. } = *self.options;
        for (number, (port, place)) in VECTORS.zip(self.ports.iter_mut().zip(&mut self.places)) {
            let Some((_, nic)) = ours(number) else { continue };
            let wanted = match want {
                Want::Pci(place) => place == nic.pci,
                Want::Mac(mac) => mac == nic.rom,
                _ => false,
            };
            if wanted || io != 0 && io == nic.io {
                self.units.say(Line::Taken, &nic.name, number as u16);
                return None;
            }
            (*port, *place) = (nic.io, nic.pci);
            self.others = true;
        }
        Some(())
    }

    /// The next probe that the user lets look, from a place in the directory on.
    #[inline(never)]
    fn probe(&self, index: &mut u16) -> Option<Unit> {
        while let Some(unit) = self.units.next(KIND_PROBE, index) {
            match self.options.nic {
                Want::Name(name) if !name_is(&unit, name) => {}
                _ => return Some(unit),
            }
        }
        None
    }

    /// The probe that knows a PCI function.
    fn knows(&self, id: u32) -> Option<Unit> {
        let mut index = 0;
        while let Some(unit) = self.probe(&mut index) {
            if unit.bus == BUS_PCI && self.units.knows(&unit, id) {
                return Some(unit);
            }
        }
        None
    }

    /// One look at one candidate: the card, or a fault that was said where it is worth a line.
    #[inline(never)]
    fn look(&mut self, unit: &Unit, index: u8, pci: u16) -> Result<Found, Fault> {
        let Options { irq, io, media, waits, .. } = *self.options;
        let ask = Ask { index, irq, io, pci, taken: &self.ports, media, waits };
        let mut found = Found::default();
        let mut fault = Fault::from((overlay().find)(&ask, &mut found));
        if fault.is_none() && found.media != media {
            fault = Some(Fault::Media);
        } else if fault.is_none() && !is_station(&found.mac) {
            fault = Some(Fault::Eeprom);
        }
        if let Some(fault) = fault {
            self.said |= !matches!(fault, Fault::Nothing | Fault::End);
            self.units.explain(unit, fault);
            return Err(fault);
        }
        match self.options.nic {
            Want::Mac(mac) if mac != found.mac => Err(Fault::Nothing),
            _ => Ok(found),
        }
    }

    #[inline(never)]
    fn pci(&mut self) -> Option<Probe> {
        let mut functions = Functions::all()?;
        while let Some((place, id)) = functions.next() {
            let elsewhere = matches!(self.options.nic, Want::Pci(wanted) if wanted != place);
            if elsewhere || self.places.contains(&place) {
                continue;
            }
            let Some(unit) = self.knows(id) else { continue };
            load(self.units, &unit)?;
            let command = pci::command(&Machine, place);
            match self.look(&unit, 0, place) {
                Ok(found) => return Some(Probe { unit, found, command }),
                Err(_) => pci::set_command(&Machine, place, command),
            }
        }
        None
    }

    #[inline(never)]
    fn isa(&mut self) -> Option<Probe> {
        let mut next = 0;
        while let Some(unit) = self.probe(&mut next) {
            if unit.bus == BUS_PCI {
                continue;
            }
            load(self.units, &unit)?;
            for index in 0..=u8::MAX {
                match self.look(&unit, index, 0) {
                    Ok(found) => return Some(Probe { unit, found, command: 0 }),
                    Err(Fault::End) => break,
                    // Another driver may know the same card, and would say the same.
                    Err(Fault::Media) => return None,
                    Err(_) => {}
                }
            }
        }
        None
    }
}

fn name_is(unit: &Unit, name: &[u8]) -> bool {
    let end = unit.name.iter().position(|byte| *byte == 0).unwrap_or(unit.name.len());
    unit.name.get(..end).is_some_and(|own| own.eq_ignore_ascii_case(name))
}
