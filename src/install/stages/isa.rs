//! `/V`: tells of every ISA card that Plug and Play or the 3C509's ID port shows. No card is activated.

use core::cell::Cell;

use super::verbose::tell_irq;
use crate::bus::real::Machine;
use crate::install::dos::put;
use crate::install::plan::Plan;
use crate::install::print::{Hex, Mac, Print};
use crate::probe::{corkscrew, el3, isa_pnp};

/// Cards with Plug and Play that are told of.
const CARDS: u8 = 12;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    tell_pnp();
    tell_id_port();
    plan.next
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
