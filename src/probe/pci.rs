//! PCI configuration space for probes (PCI Local Bus Specification 2.2, chapter 6).

use crate::bus::Bus;
use crate::probe::{Ask, Fault};

const ID: u8 = 0x00;
const COMMAND: u8 = 0x04;
const   COMMAND_IO: u32 = 1 << 0;
const   COMMAND_MEMORY: u32 = 1 << 1;
const   COMMAND_MASTER: u32 = 1 << 2;
/// Switches the INTx line off; firmware of newer boards may have set it.
const   COMMAND_INTX_OFF: u32 = 1 << 10;
const   STATUS_CAPABILITIES: u32 = 1 << 20;
const CLASS: u8 = 0x08;
/// The base class of network controllers, in bits 31:24 of [`class`].
pub const NETWORK: u32 = 0x02;
/// The base class and the class behind it of Ethernet controllers, in bits 31:16.
pub const ETHERNET: u32 = 0x0200;
const BAR0: u8 = 0x10;
const   BAR_IO: u32 = 1 << 0;
const   BAR_KIND: u32 = 3 << 1;
const   BAR_64: u32 = 2 << 1;
const CAPABILITIES: u8 = 0x34;
const INTERRUPT: u8 = 0x3C;

/// Capability: power management. Bits 1:0 of its second register are the state.
const POWER: u8 = 0x01;
/// Capability: vendor specific; virtio uses it.
pub const VENDOR: u8 = 0x09;
/// Capability: PCI Express.
pub const EXPRESS: u8 = 0x10;
/// Offset in that capability of the link's control register. The upper half is the status register, in which a 1 clears a bit.
const LINK_CONTROL: u8 = 0x10;
/// Power saving of the link (ASPM).
const   LINK_ASPM: u32 = 3;
/// The most capabilities in a list. A longer list is circular.
const CAPABILITY_LIMIT: usize = 48;

/// The range of ports or memory that a base address register decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Ports.
    Io(u16),
    /// Memory below 4 GB.
    Memory(u32),
    /// No range, an unassigned one, or one out of reach.
    None,
}

/// Vendor in the low half, device in the high half; all ones: there is no function.
pub fn id(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, ID)
}

/// Whether `ask` is a PCI function with one of `ids`; its identity. A PCI function is one candidate, so that there is no
/// other index than 0.
pub fn candidate(bus: &impl Bus, ask: &Ask, ids: &[u32]) -> Result<u32, Fault> {
    if ask.index != 0 {
        return Err(Fault::End);
    }
    let id = id(bus, ask.pci);
    if ids.contains(&id) { Ok(id) } else { Err(Fault::Nothing) }
}

/// Revision in the low byte, class above.
pub fn class(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, CLASS)
}

/// Base address register `index`, 0 to 5.
pub fn bar(bus: &impl Bus, place: u16, index: u8) -> Bar {
    let register = BAR0 + 4 * index;
    let value = bus.config_read(place, register);
    if value & BAR_IO != 0 {
        // A PC has 64 KB of ports. An unassigned register reads as zero or all ones.
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

/// The first port of a card whose registers are at the ports of base address register `index`. No other copy of this
/// driver may use them.
pub fn ports(bus: &impl Bus, ask: &Ask, index: u8) -> Result<u16, Fault> {
    match bar(bus, ask.pci, index) {
        Bar::Io(io) if ask.is_taken(io) => Err(Fault::Nothing),
        Bar::Io(io) => Ok(io),
        _ => Err(Fault::Resources),
    }
}

/// The size of the range of a base address register, 0 if none. The card must not be in use.
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

/// The first capability `wanted` behind the one at `after` (0: in the whole list).
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

/// Wakes the card, and enables its ports and memory and, if `master`, its DMA. Restores base address registers that the
/// wake-up has cleared.
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
            // D3 to D0 takes 10 ms (PCI Power Management 1.1, table 5-6).
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

/// Switches power saving of a PCI Express card's link off: with it some cards lose transmissions.
pub fn keep_link_on(bus: &impl Bus, place: u16) {
    if let Some(express) = capability(bus, place, EXPRESS, 0) {
        let link = bus.config_read(place, express + LINK_CONTROL);
        bus.config_write(place, express + LINK_CONTROL, link & 0xFFFF & !LINK_ASPM);
    }
}

/// Whether the command register can switch the function's interrupt off (PCI 2.3). Leaves the register as it was.
pub fn has_intx_off(bus: &impl Bus, place: u16) -> bool {
    let before = command(bus, place);
    set_command(bus, place, before | COMMAND_INTX_OFF);
    let took = command(bus, place);
    set_command(bus, place, before);
    took & COMMAND_INTX_OFF != 0
}

/// Switches the function's interrupt off, if it is of PCI 2.3.
pub fn switch_intx_off(bus: &impl Bus, place: u16) {
    set_command(bus, place, command(bus, place) | COMMAND_INTX_OFF);
}

/// Switches it on again.
pub fn switch_intx_on(bus: &impl Bus, place: u16) {
    set_command(bus, place, command(bus, place) & !COMMAND_INTX_OFF);
}

/// What makes the command register reachable through the ports of configuration mechanism 1: for asm/flat.inc.
pub const fn command_address(place: u16) -> u32 {
    1 << 31 | (place as u32) << 8 | COMMAND as u32
}

/// The command register, to restore it if the card is not used after all.
pub fn command(bus: &impl Bus, place: u16) -> u32 {
    bus.config_read(place, COMMAND) & 0xFFFF
}

/// Restores the command register.
pub fn set_command(bus: &impl Bus, place: u16, command: u32) {
    bus.config_write(place, COMMAND, command);
}

/// The interrupt line, 1 to 15: the one that the firmware routed, which no switch can change; if it routed none, the one
/// that the user gave; 0: none.
pub fn irq(bus: &impl Bus, ask: &Ask) -> u8 {
    match bus.config_read(ask.pci, INTERRUPT) as u8 {
        line @ 1..=15 => line,
        _ => ask.irq,
    }
}
