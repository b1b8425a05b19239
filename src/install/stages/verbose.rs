//! `/V`: tells who holds the vector that was asked for, and of every network card who drives it, or why nobody does. No card is
//! activated. What the search finds out later, its own lines tell.

use core::cell::Cell;

use super::copies::{is_packet_driver, ours};
use super::owners;
use super::pci::{BNX2, Functions};
use crate::bus::Bus;
use crate::bus::real::{Machine, address, code_segment, own};
use crate::install::dos::{far, peek, put, vector};
use crate::install::header::{ChipRow, PciRow, number};
use crate::install::kernel::{header, load, of_nic, read, unit};
use crate::install::plan::Plan;
use crate::install::print::{Dec, Hex, Identity, Mac, Place, Print};
use crate::mcb::{DOS, FREE, PROGRAMS, UPPER};
use crate::probe::{VECTORS, corkscrew, el3, isa_pnp, pci};

/// Cards with Plug and Play that are told of.
const CARDS: u8 = 12;
/// The register with the interrupt line.
const INTERRUPT: u8 = 0x3C;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    "3COMPKT: what was found\r\n".print();
    tell_vector(plan.options.vector);
    // None: the file is damaged, and the kernel says so.
    let _ = tell_pci();
    tell_pnp();
    tell_id_port();
    plan.next
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
    } else {
        ": no driver yet".print();
    }
}

fn tell_irq(line: u8) {
    match line {
        1..=15 => {
            ", IRQ ".print();
            Dec(line as u16).print();
        }
        _ => ", no IRQ".print(),
    }
}

/// Identities by ISA Plug and Play: the family, and the driver that takes it.
static PNP: [(u32, u32, &str); 3] = [
    (!0xF, el3::PNP_FAMILY, "el3"),
    (!0, corkscrew::IDENTITY, "corkscrew"),
    // RTL8019, by its ports.
    (!0, 0x4A8C_8019, "ne2000"),
];

/// Tells of every ISA card with Plug and Play: whether it is for a network, only its own texts say.
#[inline(never)]
fn tell_pnp() {
    for skip in 0..CARDS {
        let (seen, id) = (Cell::new(0), Cell::new(0));
        let wanted = |this| {
            if seen.get() == skip {
                id.set(this);
            }
            seen.set(seen.get().wrapping_add(1));
            true
        };
        let Some(card) = isa_pnp::Card::find(&Machine, skip, wanted, |_| false) else { break };
        let (active, io, irq) = (card.active(), card.io(), card.irq());
        card.close();
        let id = id.get();
        "  ISA PnP ".print();
        // Three letters of five bits each, then four digits.
        for shift in [26, 21, 16] {
            put(b'@' + (id >> shift & 31) as u8);
        }
        Hex(id as u16).print();
        if active {
            ", port ".print();
            Hex(io).print();
            put(b'h');
            tell_irq(irq);
        } else {
            ", not active".print();
        }
        let known = PNP.iter().find(|(mask, family, _)| id & mask == *family);
        ": ".print();
        known.map_or("no network card that a driver knows", |(.., name)| name).print();
        "\r\n".print();
    }
}

/// Tells of every card at the ID port of the 3C509.
#[inline(never)]
fn tell_id_port() {
    el3::list(&Machine, |card| {
        "  ID port 3C509 (".print();
        Hex(card.product).print();
        "), ".print();
        Mac(card.mac).print();
        if card.io == 0 {
            ", configured for EISA: no driver, for it has no port; use its setup program\r\n".print();
            return;
        }
        ", port ".print();
        Hex(card.io).print();
        put(b'h');
        tell_irq(card.irq);
        ": el3\r\n".print();
    });
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
