//! What is told of the driver: the information block, and the line at load.

use crate::bus::either::in_v86;
use crate::device::{Link, RcvMode};
use crate::info::{self, Block, FLAG_DEVICE, FLAG_MASKED, FLAG_UPPER, FLAG_V86, Info, NOT_PCI, NicInfo};
use crate::install::dos::from_device;
use crate::install::kernel::header;
use crate::install::plan::Plan;
use crate::install::print::{Dec, Hex, Mac, Place, Print};

/// The driver's version, major in the high byte.
pub const VERSION: u16 = 0x0001;

/// The head of the information block.
#[inline(never)]
pub fn head(plan: &Plan, blocks: u16, stack: u16, masked: bool) -> Info {
    let (options, ground) = (&plan.options, &plan.ground);
    let flags = if from_device() { FLAG_DEVICE } else { 0 }
        | if ground.segment >= 0xA000 { FLAG_UPPER } else { 0 }
        | if in_v86() { FLAG_V86 } else { 0 }
        | if masked { FLAG_MASKED } else { 0 };
    Info {
        signature: info::SIGNATURE,
        layout: info::LAYOUT,
        size: size_of::<Info>() as u8,
        version: VERSION,
        vector: options.vector,
        amis: 0,
        flags,
        segment: ground.segment,
        paragraphs: ground.next >> 4,
        handles: plan.placed.handles,
        handle_count: options.handles,
        handle_size: 16,
        nics: header().core.work,
        nic_count: 1,
        nic_size: size_of::<NicInfo>() as u8,
        blocks,
        block_count: ground.count,
        block_size: size_of::<Block>() as u8,
        stack_low: stack,
        stack_top: ground.next,
        pool: 0,
    }
}

/// The NIC's part of it.
#[inline(never)]
pub fn nic(plan: &Plan) -> NicInfo {
    let found = &plan.card.found;
    NicInfo {
        name: plan.card.name,
        rom: found.mac,
        mac: found.mac,
        io: found.io,
        irq: plan.placed.irq,
        link: Link::Unknown as u8,
        pci: if plan.card.is_pci { found.pci } else { NOT_PCI },
        rcv_mode: RcvMode::Broadcast as u8,
        vector: plan.options.vector,
    }
}

/// The line at load.
pub fn banner(plan: &Plan) {
    card(plan);
    ", INT ".print();
    Hex(plan.options.vector as u16).print();
    "h, ".print();
    Dec(plan.ground.next).print();
    " bytes resident\r\n".print();
}

/// The line of one of several NICs.
pub fn card_line(plan: &Plan, number: u8) {
    card(plan);
    if plan.is_bond() {
        ", in the bond\r\n".print();
    } else if plan.options.vector != 0 {
        ", INT ".print();
        Hex(plan.options.vector as u16).print();
        "h\r\n".print();
    } else {
        ", interface ".print();
        Dec(number as u16).print();
        "\r\n".print();
    }
}

/// The last line of several NICs.
pub fn total_line(plan: &Plan) {
    "3COMPKT: ".print();
    Dec(plan.several.count as u16).print();
    if plan.several.count == 1 { " NIC, ".print() } else { " NICs, ".print() };
    if plan.is_bond() {
        "one bond, INT ".print();
        Hex(plan.options.vector as u16).print();
        "h, ".print();
    }
    Dec(plan.ground.next).print();
    " bytes resident\r\n".print();
}

/// What a line says of the card.
#[inline(always)]
fn card(plan: &Plan) {
    let (found, irq) = (&plan.card.found, plan.placed.irq);
    "3COMPKT: ".print();
    plan.card.name.print();
    found.chip.print();
    if found.io != 0 {
        " at port ".print();
        Hex(found.io).print();
        "h".print();
    } else {
        " at PCI ".print();
        Place(found.pci).print();
    }
    if found.irq == 0 {
        ", no IRQ".print();
    } else {
        ", IRQ ".print();
        Dec(if irq == 0 { found.irq } else { irq } as u16).print();
        if irq == 0 {
            " is dead".print();
        }
    }
    if irq == 0 {
        " (polled)".print();
    }
    ", ".print();
    Mac(found.mac).print();
}
