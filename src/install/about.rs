//! What is told of the driver: the information block, and the line at load.

use super::ground::Ground;
use super::hardware::Probe;
use super::header::BUS_PCI;
use super::print::{Dec, Hex, Mac, Print};
use super::run::{VERSION, from_device};
use super::switches::Options;
use crate::bus::either::in_v86;
use crate::device::{Link, RcvMode};
use crate::info::{self, Block, FLAG_DEVICE, FLAG_MASKED, FLAG_UPPER, FLAG_V86, Info, NOT_PCI, NicInfo};
use crate::resident::table::CoreTable;

/// The head of the information block.
#[inline(never)]
pub fn head(options: &Options, ground: &Ground, table: &CoreTable, handles: u16, blocks: u16, stack: u16, masked: bool) -> Info {
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
        handles,
        handle_count: options.handles,
        handle_size: 16,
        nics: table.work,
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
pub fn nic(options: &Options, probe: &Probe, irq: u8) -> NicInfo {
    let found = &probe.found;
    NicInfo {
        name: probe.unit.name,
        rom: found.mac,
        mac: found.mac,
        io: found.io,
        irq,
        link: Link::Unknown as u8,
        pci: if probe.unit.bus == BUS_PCI { found.pci } else { NOT_PCI },
        rcv_mode: RcvMode::Broadcast as u8,
        vector: options.vector,
    }
}

/// The line at load.
pub fn banner(options: &Options, probe: &Probe, irq: u8, bytes: u16) {
    let found = &probe.found;
    "3COMPKT: ".print();
    probe.unit.name.print();
    if found.io != 0 {
        " at port ".print();
        Hex(found.io).print();
        "h".print();
    } else {
        " at PCI ".print();
        Hex(found.pci >> 8).print();
        ":".print();
        Hex(found.pci >> 3 & 31).print();
        ".".print();
        Hex(found.pci & 7).print();
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
    ", INT ".print();
    Hex(options.vector as u16).print();
    "h, ".print();
    Dec(bytes).print();
    " bytes resident\r\n".print();
}
