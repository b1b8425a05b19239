//! Finds and starts VMware's vmxnet3.

use super::pci::{self, Bar};
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, RcvMode};
use crate::drivers::vmxnet3::*;

/// The first word of the shared memory.
const MAGIC: u32 = 0xBABE_FEE1;
/// The only revision of device and shared memory that this driver supports.
const REVISION_1: u32 = 1;
/// The driver's version for the device: 1.0 of a 32-bit Linux, as in VMware's own drivers.
const DRIVER_VERSION: u32 = 0x0001_0000;
const GUEST: u32 = 1 | 1 << 2;
const MTU: u32 = 1500;
/// VLAN filter: one bit for each tag, in [`Layout::SHARED`]; all are set.
const SHARED_VLANS: u16 = 136;
const VLAN_WORDS: u16 = 128;

// Receive and transmit buffers, powers of two: in XMS, and in conventional memory. A burst comes while the machine executes
// no instruction: the host drops frames without a buffer.
const DEEP: (u8, u8) = (32, 4);
const SHALLOW: (u8, u8) = (16, 1);

/// Bytes of the memory for so many buffers, with room for alignment.
const fn bytes((receive, transmit): (u8, u8)) -> u32 {
    Layout::ALIGN + Layout::BUFFERS as u32 + (receive as u32 + transmit as u32) * BUFFER as u32
}

/// The probe of these cards.
pub struct Vmxnet3Probe;

impl<B: Bus> Probe<B> for Vmxnet3Probe {
    type Device = Vmxnet3<B>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &[
        0x07B0_15AD, // VMware vmxnet3
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        if bus.confined() {
            return Err(Fault::V86);
        }
        // Bus master only after the reset: another driver may have left DMA on.
        pci::enable(bus, ask.pci, false)?;
        let [Bar::Memory(rings), Bar::Memory(commands)] = [0, 1].map(|index| pci::bar(bus, ask.pci, index)) else {
            return Err(Fault::Resources);
        };
        for register in [VRRS, UVRS] {
            let revisions = bus.get32(Addr(commands).plus(register));
            if revisions & REVISION_1 == 0 || revisions == u32::MAX {
                return Err(Fault::Dead);
            }
        }
        let [a, b, c, d] = answer_to(bus, Addr(commands), CMD_GET_MAC_LOW).to_le_bytes();
        let [e, f, ..] = answer_to(bus, Addr(commands), CMD_GET_MAC_HIGH).to_le_bytes();
        let mac = [a, b, c, d, e, f];
        let irq = pci::irq(bus, ask);
        Ok(Found {
            mac,
            mem: rings,
            irq,
            pci: ask.pci,
            rings_xms: bytes(DEEP),
            rings_low: bytes(SHALLOW) as u16,
            ..Found::default()
        })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        let depth = if rings.len >= bytes(DEEP) { DEEP } else { SHALLOW };
        if rings.len < bytes(depth) {
            return Err(Fault::Memory);
        }
        let Bar::Memory(commands) = pci::bar(&bus, found.pci, 1) else { return Err(Fault::Resources) };
        let skip = rings.physical.wrapping_neg() & (Layout::ALIGN - 1);
        let mut card = Vmxnet3 {
            count: Counters::default(),
            rings: Addr(found.mem),
            commands: Addr(commands),
            memory: Addr(rings.linear.0 + skip),
            lost: 0,
            rx: 0,
            tx: 0,
            rx_buffers: depth.0,
            tx_buffers: depth.1,
            bus,
        };
        card.stop();
        pci::enable(&card.bus, found.pci, true)?;
        lay_out(&card, rings.physical + skip);
        for register in [VRRS, UVRS] {
            card.bus.put32(card.commands.plus(register), REVISION_1);
        }
        card.bus.put32(card.commands.plus(DSAL), rings.physical + skip + Layout::SHARED as u32);
        card.bus.put32(card.commands.plus(DSAH), 0);
        if answer_to(&card.bus, card.commands, CMD_ACTIVATE) != 0 {
            return Err(Fault::Dead);
        }
        for number in 0..card.rx_buffers as u16 {
            card.give(number);
        }
        card.bus.put32(card.rings.plus(RXPROD), card.rx_buffers as u32);
        card.set_address(&found.mac);
        card.set_rcv_mode(RcvMode::Broadcast, &[]);
        Ok(card)
    }
}

/// Writes the shared memory, without giving descriptors to the device.
fn lay_out<B: Bus>(card: &Vmxnet3<B>, physical: u32) {
    let put = |at: u16, value: u32| card.bus.put32(card.memory.plus(at), value);
    for at in (0..Layout::BUFFERS).step_by(4) {
        put(at, 0);
    }
    let buffers = physical + Layout::BUFFERS as u32;
    let (receive, transmit) = (card.rx_buffers as u32, card.tx_buffers as u32);
    for index in 0..TX_DESCS {
        let buffer = receive + (index as u32 & (transmit - 1));
        put(Layout::TX + index * DESC, buffers + buffer * BUFFER as u32);
        put(Layout::TX + index * DESC + LAST, TX_WHOLE);
    }
    for index in 0..RX_DESCS {
        put(Layout::RX + index * DESC, buffers + (index as u32 & (receive - 1)) * BUFFER as u32);
        // Not the device's yet: in the first round its bit is 1.
        put(Layout::RX + index * DESC + FLAGS, BUFFER as u32);
    }
    let place = |at: u16| physical + at as u32;
    let queues = [
        (16, place(Layout::TX)),
        (32, place(Layout::TX_DONE)),
        (56, TX_DESCS as u32),
        (64, TX_DESCS as u32),
        (256 + 16, place(Layout::RX)),
        (256 + 32, place(Layout::RX_DONE)),
        (256 + 56, RX_DESCS as u32),
        (256 + 64, RX_DESCS as u32),
    ];
    for (at, value) in queues {
        put(Layout::QUEUES + at, value);
    }
    let shared = [
        (0, MAGIC),
        (8, DRIVER_VERSION),
        (12, GUEST),
        (16, REVISION_1),
        (20, REVISION_1),
        (40, place(Layout::QUEUES)),
        (52, 512),
        (56, MTU),
        // One buffer for a frame, one queue for each direction.
        (60, 1 | 1 << 16 | 1 << 24),
        (SHARED_INTERRUPTS, MASKS_ITSELF),
        (128, place(Layout::GROUPS)),
    ];
    for (at, value) in shared {
        put(Layout::SHARED + at, value);
    }
    for word in 0..VLAN_WORDS {
        put(Layout::SHARED + SHARED_VLANS + word * 4, !0);
    }
}
