//! PCI configuration space, as probes need it (PCI Local Bus Specification 2.2, chapter 6).

use crate::bus::Bus;
use crate::probe::{Ask, Fault};

const ID: u8 = 0x00;
const COMMAND: u8 = 0x04;
const   COMMAND_IO: u32 = 1 << 0;
const   COMMAND_MEMORY: u32 = 1 << 1;
const   COMMAND_MASTER: u32 = 1 << 2;
/// The INTx line is held off by this bit; firmware of newer boards may have set it.
const   COMMAND_INTX_OFF: u32 = 1 << 10;
const   STATUS_CAPABILITIES: u32 = 1 << 20;
const CLASS: u8 = 0x08;
const BAR0: u8 = 0x10;
const   BAR_IO: u32 = 1 << 0;
const   BAR_KIND: u32 = 3 << 1;
const   BAR_64: u32 = 2 << 1;
const CAPABILITIES: u8 = 0x34;
const INTERRUPT: u8 = 0x3C;

/// Capability of power management; the state is in bits 1:0 of its second register.
const POWER: u8 = 0x01;
/// A vendor's own capability, which virtio uses.
pub const VENDOR: u8 = 0x09;
/// Capabilities that a list can hold; a longer one runs in a circle.
const CAPABILITY_LIMIT: usize = 48;

/// A card's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Ports.
    Io(u16),
    /// Memory below 4 GB.
    Memory(u32),
    /// None, unassigned, or out of reach.
    None,
}

/// Vendor in the low half, device in the high half; all ones when nothing answers.
pub fn id(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, ID)
}

/// Revision in the low byte, the class above it.
pub fn class(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, CLASS)
}

/// Base address register `index`, 0 to 5.
pub fn bar(bus: &impl Bus, place: u16, index: u8) -> Bar {
    let register = BAR0 + 4 * index;
    let value = bus.config_read(place, register);
    if value & BAR_IO != 0 {
        // A PC has 64 KB of ports; zero and all ones are what unassigned ones read.
        return match value & !3 {
            port @ 1..=0xFFFC => Bar::Io(port as u16),
            _ => Bar::None,
        };
    }
    if value & BAR_KIND == BAR_64 && bus.config_read(place, register + 4) != 0 {
        return Bar::None;
    }
    match value & !15 {
        0 | 0xFFFF_FFF0 => Bar::None,
        base => Bar::Memory(base),
    }
}

/// The bytes that a base address register decodes, 0 if none. The card must not be in use meanwhile.
pub fn bar_size(bus: &impl Bus, place: u16, index: u8) -> u32 {
    let register = BAR0 + 4 * index;
    let command = bus.config_read(place, COMMAND) & 0xFFFF;
    bus.config_write(place, COMMAND, command & !(COMMAND_IO | COMMAND_MEMORY));
    let value = bus.config_read(place, register);
    bus.config_write(place, register, u32::MAX);
    let mask = bus.config_read(place, register) & if value & BAR_IO != 0 { !3 } else { !15 };
    bus.config_write(place, register, value);
    bus.config_write(place, COMMAND, command);
    let size = (!mask).wrapping_add(1);
    if value & BAR_IO != 0 { size & 0xFFFF } else { size }
}

/// The first capability `wanted` behind `after` (0: from the start of the list).
pub fn capability(bus: &impl Bus, place: u16, wanted: u8, after: u8) -> Option<u8> {
    if bus.config_read(place, COMMAND) & STATUS_CAPABILITIES == 0 {
        return None;
    }
    let mut at = if after == 0 {
        bus.config_read(place, CAPABILITIES) as u8
    } else {
        (bus.config_read(place, after) >> 8) as u8
    };
    for _ in 0..CAPABILITY_LIMIT {
        at &= !3;
        if at < 0x40 {
            return None;
        }
        let head = bus.config_read(place, at);
        if head as u8 == wanted {
            return Some(at);
        }
        at = (head >> 8) as u8;
    }
    None
}

/// Wakes the card, and lets it answer at its ports and memory and, when `master`, do DMA. Windows that a wake-up has
/// cleared are put back.
pub fn enable(bus: &impl Bus, place: u16, master: bool) -> Result<(), Fault> {
    if let Some(power) = capability(bus, place, POWER, 0) {
        let state = bus.config_read(place, power + 4);
        if state & 3 != 0 {
            let mut saved = [0; 6];
            let mut register = BAR0;
            for value in &mut saved {
                *value = bus.config_read(place, register);
                register += 4;
            }
            let line = bus.config_read(place, INTERRUPT);
            bus.config_write(place, power + 4, state & !3);
            // 10 ms from D3 to D0 (PCI Power Management 1.1, table 5-6).
            let _ = bus.wait(20_000, || false);
            register = BAR0;
            for value in &saved {
                bus.config_write(place, register, *value);
                register += 4;
            }
            bus.config_write(place, INTERRUPT, line);
        }
    }
    let wanted = COMMAND_IO | COMMAND_MEMORY | if master { COMMAND_MASTER } else { 0 };
    let command = bus.config_read(place, COMMAND) & 0xFFFF & !COMMAND_INTX_OFF;
    bus.config_write(place, COMMAND, command | wanted);
    let took = bus.config_read(place, COMMAND);
    if took == u32::MAX || master && took & COMMAND_MASTER == 0 { Err(Fault::Dead) } else { Ok(()) }
}

/// Can the function's interrupt be switched off in its command register (PCI 2.3)? It is as before afterwards.
pub fn has_intx_off(bus: &impl Bus, place: u16) -> bool {
    let before = command(bus, place);
    set_command(bus, place, before | COMMAND_INTX_OFF);
    let took = command(bus, place);
    set_command(bus, place, before);
    took & COMMAND_INTX_OFF != 0
}

/// The command register, to be put back when the card is not taken after all.
pub fn command(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, COMMAND) & 0xFFFF
}

/// Puts the command register back.
pub fn set_command(bus: &impl Bus, place: u16, command: u32) {
    bus.config_write(place, COMMAND, command);
}

/// The interrupt line, 1 to 15: what the firmware routed, which no switch can change; where it routed none, what the
/// user gave; 0: none.
pub fn irq(bus: &impl Bus, ask: &Ask) -> u8 {
    match bus.config_read(ask.pci, INTERRUPT) as u8 {
        line @ 1..=15 => line,
        _ => ask.irq,
    }
}
