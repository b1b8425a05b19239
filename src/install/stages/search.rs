//! Which NIC: PCI functions in their order, then ISA's NICs in theirs, until a card is found that nobody has.

use core::mem::offset_of;

use super::copies::ours;
use super::pci::{BNX2, Functions};
use super::switches::{NAME, Options, Want};
use crate::bus::real::{Machine, address, code_segment};
use crate::info::NOT_PCI;
use crate::install::dos::peek;
use crate::install::header::{BUS_PCI, FindHeader, PciRow, Unit, number};
use crate::install::kernel::{explain, header, load, of_nic, say, unit};
use crate::install::lines::{Line, NO_CARD};
use crate::install::plan::{COUNTED, Card, FOUND, Plan, QUIT, RETURNS, Several};
use crate::install::print::{Identity, Place, Print};
use crate::probe::{Ask, Fault, Found, TAKEN, VECTORS, is_station, pci};
use crate::resident::several::{MOST, NIC, Nic};

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    let next = search(plan);
    if next == QUIT && plan.exit == 0 {
        plan.exit = NO_CARD;
    }
    next
}

#[inline(always)]
fn search(plan: &mut Plan) -> u8 {
    let options = plan.options;
    let mut search = Search {
        options: &options,
        ports: [0; TAKEN],
        places: [NOT_PCI; TAKEN],
        others: false,
        rom_taken: false,
        said: false,
        quiet: false,
        unknown: None,
        ethernet: false,
        slot: Slot::Empty,
    };
    if search.ask_others().is_none() {
        return QUIT;
    }
    let several = &mut plan.several;
    // A ROM drives a card alone.
    search.rom_taken |= several.count != 0;
    if several.count == COUNTED {
        several.count = 0;
        search.quiet = true;
        let card = &mut plan.card;
        while several.count < MOST && search.find(card) {
            if card.is_pci {
                pci::set_command(&Machine, card.found.pci, card.command);
            }
            search.leave_out(card.found.io, if card.is_pci { card.found.pci } else { NOT_PCI });
            several.count += 1;
        }
        if several.count != 0 {
            return number::GATHER;
        }
        // Says why there is none.
        search.quiet = false;
        search.find(card);
        return QUIT;
    }
    // Behind the cards that were started, and behind the place for those to come, are those that did not start.
    let Several { nics, interfaces, done, count, .. } = plan.several;
    let records = (interfaces - nics) / NIC;
    for number in (0..done).chain(count..records as u8) {
        let at = plan.record(number);
        search.leave_out(peek(at.plus(offset_of!(Nic, io) as u16)), peek(at.plus(offset_of!(Nic, pci) as u16)));
    }
    if !search.find(&mut plan.card) {
        return QUIT;
    }
    if count != 0 {
        plan.several.step = FOUND;
        return number::GATHER;
    }
    let found = &plan.card.found;
    plan.two_ways = found.plain && found.rings_low != 0;
    if plan.old.state == RETURNS || options.apply { number::BACK } else { number::PLACE }
}

/// What lies in slot B.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Empty,
    /// The table of PCI functions, so many rows.
    Table(u16),
    Find,
}

struct Search<'a> {
    options: &'a Options,
    /// Cards of other copies of this driver, by the vectors that the copies are on: their first ports,
    ports: [u16; TAKEN],
    /// and their places on PCI.
    places: [u16; TAKEN],
    /// There are other copies.
    others: bool,
    /// One of them calls a card's ROM, which no second copy may call at the same time.
    rom_taken: bool,
    /// A line has said what is wrong with a card.
    said: bool,
    /// No line is to be printed: cards are counted.
    quiet: bool,
    /// The first network function on PCI that no driver knows: its identity and place. The first Ethernet card, if there is one.
    unknown: Option<(u32, u16)>,
    /// It is an Ethernet card.
    ethernet: bool,
    slot: Slot,
}

/// The find unit in slot B.
fn finder() -> &'static FindHeader {
    // SAFETY: `Search::read` read a unit to this place; nothing writes there while it is in use.
    unsafe { &*(header().slot_b as u32 as *const FindHeader) }
}

impl Search<'_> {
    /// Leaves a card out: it was found before.
    #[inline(never)]
    fn leave_out(&mut self, port: u16, place: u16) {
        // A place that no copy has taken is both 0 and NOT_PCI. There are more of them than cards are gathered.
        let mut free = self.ports.iter_mut().zip(&mut self.places).skip_while(|(port, place)| **port != 0 || **place != NOT_PCI);
        if let Some((to_port, to_place)) = free.next() {
            (*to_port, *to_place) = (port, place);
        }
    }

    /// Finds the card, or says in one line why there is none. All write to the same `card`: a copy in each would not fit on the stack.
    fn find(&mut self, card: &mut Card) -> bool {
        let found = self.find_one(card);
        if !found {
            // The last one that was looked at is none: nothing of it is to be put back or started.
            (card.is_pci, card.name[0]) = (false, 0);
        }
        found
    }

    #[inline(always)]
    fn find_one(&mut self, card: &mut Card) -> bool {
        let Some(only) = self.only() else { return false };
        let options = self.options;
        let mut found = options.io == 0 && self.pci(only, ANY, card).is_some();
        if !found && !matches!(options.nic, Want::Pci(_)) {
            found = self.isa(only, card).is_some();
        }
        if !found && options.io == 0 && !self.said && !self.quiet {
            if !self.rom_taken {
                found = self.pci(only, by_rom(), card).is_some();
            } else if only == by_rom() {
                explain(Fault::RomUsed, ROM);
                self.said = true;
            }
        }
        if found || self.said || self.quiet {
            return found;
        }
        // No unit can be had of a damaged file. Then the kernel says that alone: the driver may have been in the part not read.
        if let (Some((id, place)), 0, Some(_)) = (self.unknown, options.io, unit(number::PCI)) {
            "3COMPKT: no driver for ".print();
            Identity(id).print();
            " at ".print();
            Place(place).print();
            if BNX2.contains(&id) {
                " (bnx2); the card's own ROM (UNDI) may drive it".print();
            }
            "\r\n".print();
        } else {
            let line = match options.nic {
                _ if options.io != 0 => Line::NoPort,
                _ if only == by_rom() => Line::NoRom,
                Want::Any if self.others => Line::NoOther,
                Want::Any => Line::NoNic,
                _ => Line::NoCard,
            };
            say(line, b" ", options.io);
        }
        false
    }

    /// Asks the other copies, but not the one whose card is taken over. None: one of them has the card that the user wants, and a line has said so.
    #[inline(never)]
    fn ask_others(&mut self) -> Option<()> {
        let Options { nic: want, io, replace, vector, .. } = *self.options;
        for (number, (port, place)) in VECTORS.zip(self.ports.iter_mut().zip(&mut self.places)) {
            if replace && number == vector {
                continue;
            }
            let Some((_, nic)) = ours(number) else { continue };
            let wanted = match want {
                Want::Pci(place) => place == nic.pci,
                Want::Mac(mac) => mac == nic.rom,
                _ => false,
            };
            if wanted || io != 0 && io == nic.io {
                say(Line::Taken, &nic.name, number as u16);
                return None;
            }
            (*port, *place) = (nic.io, nic.pci);
            self.others = true;
            self.rom_taken |= nic.name == *ROM;
        }
        Some(())
    }

    /// The NIC of the name that the user gave, [`ANY`] without one. None: there is none, and a line has said so.
    #[inline(never)]
    fn only(&self) -> Option<u16> {
        let Want::Name(name) = self.options.nic else { return Some(ANY) };
        for nic in 0..header().nics as u16 {
            if unit(finder_of(nic))?.name.eq_ignore_ascii_case(&name) {
                return Some(nic);
            }
        }
        let mut told = [0; NAME + 1];
        told.iter_mut().zip(name).for_each(|(to, from)| *to = from);
        say(Line::NoDriver, &told, 0);
        None
    }

    /// The NIC that knows a PCI function.
    #[inline(never)]
    fn knows(&mut self, id: u32) -> Option<u16> {
        let at = header().slot_b;
        let rows = match self.slot {
            Slot::Table(rows) => rows,
            _ => {
                let table = unit(number::PCI)?;
                load(&table, code_segment(), at)?;
                table.bytes / size_of::<PciRow>() as u16
            }
        };
        self.slot = Slot::Table(rows);
        for row in 0..rows {
            let row = address(code_segment(), at + row * size_of::<PciRow>() as u16);
            if peek::<u32>(row) == id {
                return Some(peek(row.plus(4)));
            }
        }
        None
    }

    /// Reads a NIC's find unit to slot B.
    #[inline(never)]
    fn read(&mut self, unit: &Unit) -> Option<()> {
        self.slot = Slot::Find;
        load(unit, code_segment(), header().slot_b)
    }

    /// One look at one candidate: the card, or a fault that was said where it is worth a line.
    #[inline(never)]
    fn look(&mut self, unit: &Unit, index: u8, pci: u16, found: &mut Found) -> Result<(), Fault> {
        let Options { irq, io, media, waits, .. } = *self.options;
        let ask = Ask { index, irq, io, pci, taken: &self.ports, media, waits };
        *found = Found::default();
        let mut fault = Fault::from((finder().find)(&ask, found));
        if fault.is_none() && found.media != media {
            fault = Some(Fault::Media);
        } else if fault.is_none() && !is_station(&found.mac) {
            fault = Some(Fault::Eeprom);
        }
        if let Some(fault) = fault {
            if !self.quiet {
                self.said |= !matches!(fault, Fault::Nothing | Fault::End);
                explain(fault, &unit.name);
            }
            return Err(fault);
        }
        match self.options.nic {
            Want::Mac(mac) if mac != found.mac => Err(Fault::Nothing),
            _ => Ok(()),
        }
    }

    /// A PCI function that a driver knows by its identity; with `rom`, any network function, by that NIC.
    #[inline(never)]
    fn pci(&mut self, only: u16, rom: u16, card: &mut Card) -> Option<()> {
        let mut functions = Functions::all()?;
        while let Some((place, id)) = functions.next() {
            let elsewhere = matches!(self.options.nic, Want::Pci(wanted) if wanted != place);
            if elsewhere || self.places.contains(&place) {
                continue;
            }
            let class = pci::class(&Machine, place) >> 16;
            let known = if rom == ANY { self.knows(id) } else { (class >> 8 == pci::NETWORK).then_some(rom) };
            let Some(nic) = known else {
                // With a name or an address the user means a card of another kind.
                let any = matches!(self.options.nic, Want::Any | Want::Pci(_));
                // A wireless card is a network function, too, and may come first.
                let first = self.unknown.is_none() || class == pci::ETHERNET && !self.ethernet;
                if any && first && class >> 8 == pci::NETWORK {
                    self.unknown = Some((id, place));
                    self.ethernet = class == pci::ETHERNET;
                }
                continue;
            };
            if only != ANY && only != nic {
                continue;
            }
            let unit = unit(finder_of(nic))?;
            self.read(&unit)?;
            let command = pci::command(&Machine, place);
            // A ROM's find unit says what is wrong if the user has asked for it.
            let index = if rom == ANY { 0 } else { (rom == only) as u8 | (self.options.verbose as u8) << 1 };
            (card.name, card.nic, card.is_pci, card.command) = (unit.name, nic as u8, true, command);
            match self.look(&unit, index, place, &mut card.found) {
                Ok(()) => return Some(()),
                Err(fault) => {
                    pci::set_command(&Machine, place, command);
                    // One line is enough: the ROMs of a machine's cards are of one maker.
                    if fault == Fault::RomUsed {
                        return None;
                    }
                }
            }
        }
        None
    }

    #[inline(never)]
    fn isa(&mut self, only: u16, card: &mut Card) -> Option<()> {
        for nic in 0..by_rom() {
            if only != ANY && only != nic {
                continue;
            }
            let unit = unit(finder_of(nic))?;
            if unit.bus == BUS_PCI {
                continue;
            }
            self.read(&unit)?;
            (card.name, card.nic, card.is_pci, card.command) = (unit.name, nic as u8, false, 0);
            for index in 0..=u8::MAX {
                match self.look(&unit, index, 0, &mut card.found) {
                    Ok(()) => return Some(()),
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

/// Every NIC may look.
const ANY: u16 = 0xFFFF;

/// The name of the NIC that is a card's ROM,
const ROM: &[u8; 12] = b"undi\0\0\0\0\0\0\0\0";

/// and its number: it is the last one.
fn by_rom() -> u16 {
    header().nics as u16 - 1
}

/// The number of a NIC's find unit.
fn finder_of(nic: u16) -> u8 {
    of_nic(nic as u8, number::FIND)
}
