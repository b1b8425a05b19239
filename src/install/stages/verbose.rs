//! `/V`: tells who holds the vector that was asked for, and of every network card on PCI which driver takes it, or why none does. The
//! stage `isa` tells of the others. No card is activated. What the search finds out later, its own lines tell.

use super::copies::{is_packet_driver, ours};
use super::owners;
use super::pci::{BNX2, Functions};
use crate::bus::Bus;
use crate::bus::either::in_v86;
use crate::bus::real::{Machine, address, code_segment, own};
use crate::install::dos::{far, peek, put, vector};
use crate::install::header::{ChipRow, PciRow, number};
use crate::install::kernel::{header, load, of_nic, read, unit};
use crate::install::plan::Plan;
use crate::install::print::{Dec, Hex, Identity, Place, Print};
use crate::mcb::{DOS, FREE, PROGRAMS, UPPER};
use crate::probe::undi::Image;
use crate::probe::{Fault, VECTORS, pci};

/// The register with the interrupt line.
const INTERRUPT: u8 = 0x3C;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    "3COMPKT: what was found\r\n".print();
    tell_vector(plan.options.vector);
    // None: the file is damaged, and the kernel says so.
    let _ = tell_pci();
    number::ISA
}

/// Tells who holds a vector.
#[inline(never)]
fn tell_vector(number: u8) {
    let entry = vector(number);
    "  INT ".print();
    Hex(number as u16).print();
    "h: ".print();
    if entry == 0 {
        "free\r\n".print();
        return;
    }
    if is_packet_driver(number) { "a packet driver at " } else { "no packet driver; it leads to " }.print();
    Hex((entry >> 16) as u16).print();
    put(b':');
    Hex(entry as u16).print();
    tell_owner((far(entry).0 >> 4) as u16);
    if let Some((_, nic)) = ours(number) {
        ", 3COMPKT with ".print();
        nic.name.print();
    }
    "\r\n".print();
}

/// Tells whose memory a paragraph is in.
#[inline(never)]
fn tell_owner(para: u16) {
    let mut name = owners::Name::default();
    let what = match owners::block(para) {
        Some(block) if block.owner == FREE => ", in free memory",
        Some(block) if owners::driver(&block, para, &mut name) || owners::name_of(&block, &mut name) => {
            ", of ".print();
            name.iter().take_while(|letter| **letter > b' ').for_each(|letter| put(*letter));
            return;
        }
        Some(block) if block.owner == DOS => ", in DOS's memory, where drivers of CONFIG.SYS lie",
        Some(block) if block.owner >= PROGRAMS => ", of a program without a name",
        Some(_) => ", in reserved memory",
        None if para >= UPPER => ", in a ROM or in upper memory",
        None => ", in memory outside of DOS's blocks",
    };
    what.print();
}

/// Tells of every network function on PCI. None: the file cannot be read.
#[inline(never)]
fn tell_pci() -> Option<()> {
    let table = unit(number::PCI)?;
    load(&table, code_segment(), header().slot_b)?;
    let rows = table.bytes / size_of::<PciRow>() as u16;
    let Some(mut functions) = Functions::all() else {
        "  PCI: none\r\n".print();
        return Some(());
    };
    let mut found = false;
    while let Some((place, id)) = functions.next() {
        let class = pci::class(&Machine, place) >> 16;
        let nic = knows(rows, id);
        if nic.is_none() && class >> 8 != pci::NETWORK {
            continue;
        }
        found = true;
        "  PCI ".print();
        Place(place).print();
        put(b' ');
        Identity(id).print();
        put(b' ');
        tell_chip(id)?;
        tell_irq(Machine.config_read(place, INTERRUPT) as u8);
        match nic {
            Some(nic) => {
                ": ".print();
                unit(of_nic(nic as u8, number::FIND))?.name.print();
            }
            None => why_none(id, class),
        }
        if let Some(vector) = holder(place) {
            ", which has it on INT ".print();
            Hex(vector as u16).print();
            put(b'h');
        }
        "\r\n".print();
    }
    if !found {
        "  PCI: no network card\r\n".print();
    }
    Some(())
}

/// Tells why no driver takes a card.
fn why_none(id: u32, class: u32) {
    if class != pci::ETHERNET {
        ": no driver, for it is no Ethernet card (class ".print();
        Hex(class as u16).print();
        "h)".print();
    } else if BNX2.contains(&id) {
        ": no driver, for it needs firmware that may not be passed on".print();
        tell_rom(id);
    } else {
        ": no driver yet".print();
        tell_rom(id);
    }
}

/// Tells whether the card could be driven by its own ROM.
#[inline(never)]
fn tell_rom(id: u32) {
    match Image::find(&Machine, id) {
        Ok(_) if in_v86() => "; its ROM has UNDI, which V86 mode forbids",
        Ok(_) => "; its ROM has UNDI, which /NIC=undi uses",
        Err(Fault::NoUndi) => "; its ROM has no UNDI",
        Err(_) => "; no ROM of it is in memory",
    }
    .print();
}

/// Tells a card's line.
pub fn tell_irq(line: u8) {
    match line {
        1..=15 => {
            ", IRQ ".print();
            Dec(line as u16).print();
        }
        _ => ", no IRQ".print(),
    }
}

/// The NIC that knows a PCI function, by the table in slot B.
#[inline(never)]
fn knows(rows: u16, id: u32) -> Option<u16> {
    for row in 0..rows {
        let row = address(code_segment(), header().slot_b + row * size_of::<PciRow>() as u16);
        if peek::<u32>(row) == id {
            return Some(peek(row.plus(4)));
        }
    }
    None
}

/// The vector of the copy of this driver that has the card at a place.
#[inline(never)]
fn holder(place: u16) -> Option<u8> {
    VECTORS.into_iter().find(|number| ours(*number).is_some_and(|(_, nic)| nic.pci == place))
}

/// Tells the chip's name, if the file has one. None: the file cannot be read.
#[inline(never)]
fn tell_chip(id: u32) -> Option<()> {
    /// Rows that are read at a time.
    const ROWS: usize = 16;
    const SIZE: u16 = size_of::<ChipRow>() as u16;
    let table = unit(number::CHIPS)?;
    let mut at = 0;
    while at < table.bytes {
        let mut rows = [ChipRow { id: 0, name: [0; 12] }; ROWS];
        let len = (table.bytes - at).min(SIZE * ROWS as u16);
        read(table.offset + at as u32, own(rows.as_mut_ptr() as *mut u8), len)?;
        if let Some(row) = rows.iter().find(|row| row.id == id) {
            row.name.print();
            return Some(());
        }
        at += len;
    }
    "unknown chip".print();
    Some(())
}
