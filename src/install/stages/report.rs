//! When the driver stands: whose ROM it calls, if it does; with `/V`, what the interrupt test has found, and the link.

use core::mem::offset_of;

use super::start::starter_unit;
use crate::bus::Addr;
use crate::bus::real::address;
use crate::device::Link;
use crate::info::{BLOCK_ROM_CODE, BLOCK_ROM_DATA, Info, NicInfo};
use crate::install::dos::{peek, regs, uninterrupted};
use crate::install::plan::{DONE, Plan};
use crate::install::print::{Dec, Print};
use crate::probe::undi::LEFT_OVER;

/// The BIOS's count of timer ticks.
const TICKS: Addr = Addr(0x46C);
/// For so many ticks a link is waited for: negotiation takes two to four seconds.
const PATIENCE: u32 = 5 * 18;
/// Times that the driver is asked at most, if the timer stands still.
const ASKED: u32 = 4_000_000;

/// The stage.
pub fn run(plan: &mut Plan) -> u8 {
    if plan.is_rom() {
        tell_rom(plan);
    }
    if plan.options.verbose {
        if plan.is_rom() && plan.card.found.irq == 0 {
            "  interrupt test: none, the card has no line of its own; it is polled\r\n".print();
        } else {
            tell_interrupt(plan.card.found.irq, plan.placed.irq);
        }
        tell_link(plan);
    }
    DONE
}

/// Tells whose code runs, and how much of it stays.
fn tell_rom(plan: &Plan) {
    "3COMPKT: undi: through the card's ROM, ".print();
    plan.card.found.chip.get(2..).unwrap_or(&[]).print();
    if plan.card.found.variant & LEFT_OVER != 0 {
        ", which a network boot has left in memory\r\n".print();
        return;
    }
    let size = |kind: u8| Dec(plan.ground.blocks.iter().find(|block| block.kind == kind).map_or(0, |block| block.size));
    ": ".print();
    size(BLOCK_ROM_CODE).print();
    " bytes of its code and ".print();
    size(BLOCK_ROM_DATA).print();
    " of its data stay\r\n".print();
}

/// Tells of a card that was made to interrupt: the line that it should have, and the one at which the interrupt arrived.
fn tell_interrupt(named: u8, seen: u8) {
    "  interrupt test: ".print();
    if named == 0 {
        "the card has no IRQ; it is polled\r\n".print();
    } else if seen == 0 {
        "it arrived at no line; the card is polled\r\n".print();
    } else {
        "IRQ ".print();
        Dec(seen as u16).print();
        if seen != named {
            ", not ".print();
            Dec(named as u16).print();
        }
        "\r\n".print();
    }
}

/// The link, which the driver has read from the card.
fn link(vector: u8) -> u8 {
    let asked = regs(0x8000);
    if !asked.interrupt(vector) {
        return Link::Unknown as u8;
    }
    let nics: u16 = peek(address(asked.es, asked.di.wrapping_add(offset_of!(Info, nics) as u16)));
    peek(address(asked.es, nics.wrapping_add(offset_of!(NicInfo, link) as u16)))
}

/// Waits for the link, and tells of it.
fn tell_link(plan: &Plan) {
    let vector = plan.options.vector;
    let begun: u32 = peek(TICKS);
    let mut state = link(vector);
    for _ in 0..ASKED {
        if state != Link::Down as u8 || peek::<u32>(TICKS).wrapping_sub(begun) > PATIENCE {
            break;
        }
        state = link(vector);
    }
    "  link: ".print();
    match state {
        0 => "down; look at the cable".print(),
        1 => {
            "up".print();
            let mbit = speed(plan);
            if mbit != 0 {
                ", ".print();
                Dec(mbit).print();
                " Mbit/s".print();
            }
        }
        _ => "this card cannot tell".print(),
    }
    "\r\n".print();
}

/// The link's speed, by the start unit: it reads the card that the driver serves already.
fn speed(plan: &Plan) -> u16 {
    // The driver's interrupt would find another window of the card's registers selected.
    uninterrupted(|| (starter_unit().speed)(plan.device as u32 as *mut u8))
}
