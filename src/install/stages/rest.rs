//! Several NICs: takes memory for what is there once, whatever their number, when all of them are started.

use core::mem::offset_of;

use super::place::{HANDLE, LAST, features};
use crate::bond::flows;
use crate::bond::{LACP, Row};
use crate::bus::Addr;
use crate::bus::real::{address, copy_far, own};
use crate::device::MacAddr;
use crate::info::BLOCK_HANDLES;
use crate::install::dos::{peek, poke};
use crate::install::features::needs;
use crate::install::header::number;
use crate::install::plan::{FAILED, Plan};
use crate::lacp::{self, Port};
use crate::resident::several::Gathered;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    match finish(plan) {
        Some(()) => number::JOIN,
        None => FAILED,
    }
}

/// Takes memory for all that is there once.
#[inline(never)]
fn finish(plan: &mut Plan) -> Option<()> {
    plan.placed.count = 0;
    plan.placed.handles = plan.zeros(BLOCK_HANDLES, plan.options.handles as u16 * HANDLE)?;
    plan.placed.receivers = plan.options.stack;
    let mut flat = 0;
    for number in 0..plan.several.count {
        let own: u16 = peek(plan.record(number).plus(offset_of!(Gathered, flat) as u16));
        // The unit that silences a card by its command register is for one card, and would leave the others' lines as they are.
        flat = match (flat, own as u32) {
            (all, 0) => all,
            (needs::FLATK, _) | (_, needs::FLATK) => needs::FLATK,
            _ => needs::FLAT,
        };
    }
    plan.needs |= flat;
    features(plan)?;
    if let Some(lacp) = plan.placed.feature(needs::LACP) {
        set_ports(plan, address(plan.ground.segment, lacp.table.at));
    }
    if plan.needs & needs::FLOWS != 0 {
        set_costs(plan);
    }
    plan.reserve(LAST + plan.placed.receivers)?;
    Some(())
}

/// Fills in the ports of LACP. A port's key says its speed, as Linux numbers them, and full duplex.
#[inline(never)]
fn set_ports(plan: &Plan, table: Addr) {
    let mac = |number: u8| peek::<MacAddr>(plan.row(number).plus(offset_of!(Row, own) as u16));
    poke(table, &plan.several.count);
    let timeout = if plan.bond.begin.mode == LACP { lacp::TIMEOUT } else { 0 };
    let mut at = table.plus(lacp::HEAD);
    for number in 0..plan.several.count {
        let speed = match peek::<u16>(plan.row(number).plus(offset_of!(Row, cost) as u16)) {
            ..10 => 2,
            ..100 => 3,
            ..250 => 4,
            ..1000 => 5,
            _ => 6,
        };
        let port = Port::new(mac(0), number + 1, timeout, speed << 1 | 1, mac(number));
        copy_far(own(&raw const port as *mut u8), at, lacp::PORT);
        at = at.plus(lacp::PORT);
    }
}

/// Makes each NIC's cost of its speed, which `keep` has left in its row.
#[inline(never)]
fn set_costs(plan: &Plan) {
    let cost = |number: u8| plan.row(number).plus(offset_of!(Row, cost) as u16);
    let speed = |number: u8| peek::<u16>(cost(number));
    let slowest = (0..plan.several.count).fold(u16::MAX, |least, number| least.min(speed(number)));
    for number in 0..plan.several.count {
        poke(cost(number), &flows::cost(speed(number), slowest));
    }
}
