//! Several NICs: keeps what is known of the card that was started in its NIC's record, and in the interface's or the bond's row.

use super::about::{card_line, nic};
use super::gather::{gathered_at, nic_at};
use super::hook::line_masked;
use crate::bond::{LACP, Row};
use crate::install::dos::poke;
use crate::install::header::number;
use crate::install::plan::{Plan, XmsBlock};
use crate::resident::several::{Interface, NIC, SIGNATURE};

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
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
    let record = plan.several.nics + number as u16 * NIC;
    if plan.is_bond() {
        // `join` makes a cost of the speed.
        let cost = plan.card.found.speed as u16;
        // With LACP it is not known yet whether the NIC may be used.
        let state = if plan.bond.begin.mode < LACP { Row::USABLE } else { 0 };
        let row = Row { state, own: plan.card.found.mac, slave: record, cost, ..Row::NEW };
        poke(plan.row(number), &row);
    } else {
        let interface = Interface {
            nic: self::nic(plan),
            groups: [0; 52],
            device: nic.device as u32,
            known: [0; 4],
            open: 0,
            number,
            out: record,
            old: 0,
            stub: SIGNATURE,
            call: 0xE8,
            distance: 0,
        };
        poke(plan.interface(number), &interface);
    }
    plan.several.done += 1;
    card_line(plan, number);
    number::GATHER
}
