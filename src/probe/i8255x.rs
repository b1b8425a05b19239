//! Finds and starts the 82557 and its successors.

use super::microwire::{self, Wires};
use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, line};
use crate::bus::Bus;
use crate::device::{Counters, Device, Events, RcvMode};
use crate::drivers::i8255x::*;
use crate::drivers::mii::{BMCR, BMCR_NEGOTIATE, BMCR_OFF, BMCR_RESTART};

/// EEPROM control register: the wires.
const EEPROM: u16 = 0x0E;
/// The word of the EEPROM with the PHY's address in bits 4:0; bit 15: an 82503 instead, which has no registers.
const EEPROM_PHY: u16 = 6;
const   PHY_82503: u16 = 1 << 15;
/// The sum of all words.
const EEPROM_SUM: u16 = 0xBABA;

/// The configuration (manual, section 6.4.2.3). Bytes that are neither reserved nor 0: FIFO limits (1); counters and transmit
/// blocks as on the 82557, frames that overran are discarded, frames with other errors stored, no interrupt for a suspend
/// (6); short frames are discarded, three attempts after an underrun (7); MII (8); the frame has the source address, a
/// preamble of seven bytes (10); gaps between frames (12); padding (18); duplex by the PHY (19).
const CONFIGURATION: [u8; 22] = [
    22, 0x08, 0, 0, 0, 0, 0xFA, 0x07, 0x01, 0, 0x2E, 0, 0x60, 0, 0xF2, MODE_DEFAULT, 0, 0x40, 0xF2, 0x80, 0x3F, GROUP_DEFAULT,
];
/// Byte 8 for an 82503.
const SERIAL_BYTE_8: u8 = 0;
/// The commands that set the card up: configure, individual address, multicast.
const SET_UP: [(u16, u32); 3] =
    [(Layout::CONFIGURE, 2 << 16), (Layout::ADDRESS, 1 << 16), (Layout::GROUPS, 3 << 16 | SUSPEND)];
/// Bytes for a frame in a receive descriptor; the longest frame needs fewer.
const ROOM: u32 = 1518;

// Numbers of receive descriptors: in XMS, and in conventional memory.
const DEEP: u8 = 32;
const SHALLOW: u8 = 3;

/// Bytes of the memory for so many receive descriptors.
const fn bytes(receive: u8) -> u32 {
    Layout::RECEIVE as u32 + receive as u32 * SLOT as u32
}

struct Ports<'a, B> {
    bus: &'a B,
    io: u16,
}

impl<B: Bus> Wires for Ports<'_, B> {
    fn set(&self, wires: u8) {
        self.bus.out16(self.io + EEPROM, wires as u16);
        self.bus.clock();
    }

    fn output(&self) -> bool {
        self.bus.in16(self.io + EEPROM) & microwire::DO as u16 != 0
    }
}

/// The probe of these cards.
pub struct I8255xProbe;

impl<B: Bus> Probe<B> for I8255xProbe {
    type Device = I8255x<B>;

    const IDS: &'static [u32] = &[
        0x1229_8086, // 82557, 82558, 82559, 82550
        0x1209_8086, // 82551, 82559ER
        0x1031_8086, // 82562 in the 82801CAM (ICH3)
        0x1039_8086, // 82562 in the 82801DB (ICH4)
        0x1050_8086, // 82562 in the 82801EB (ICH5)
        0x2449_8086, // 82562 in the 82801BA (ICH2)
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        // Bus master only after the reset: another driver may have left DMA on.
        pci::enable(bus, ask.pci, false)?;
        let io = pci::ports(bus, ask, 1)?;
        if bus.in32(io) == u32::MAX {
            return Err(Fault::Dead);
        }
        let ports = Ports { bus, io };
        let bits = microwire::address_bits(&ports);
        let words = 1u16 << bits;
        let sum = (0..words).fold(0u16, |sum, at| sum.wrapping_add(microwire::read(&ports, bits, at as u8)));
        let [[a, b], [c, d], [e, f]] = [0, 1, 2].map(|at| microwire::read(&ports, bits, at).to_le_bytes());
        let mac = [a, b, c, d, e, f];
        if sum != EEPROM_SUM {
            return Err(Fault::Eeprom);
        }
        let phy = microwire::read(&ports, bits, EEPROM_PHY as u8);
        let variant = if phy & PHY_82503 != 0 { 0 } else { phy as u8 & 31 };
        let irq = pci::irq(bus, ask);
        Ok(Found {
            mac,
            io,
            irq,
            variant,
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
        let mut card = I8255x {
            count: Counters::default(),
            memory: rings.linear,
            physical: rings.physical,
            io: found.io,
            busy: 0,
            oldest: Layout::RECEIVE,
            last: bytes(depth - 1) as u16,
            end: bytes(depth) as u16,
            phy: found.variant,
            mode: RcvMode::Broadcast,
            bus,
        };
        card.stop();
        pci::enable(&card.bus, found.pci, true)?;
        lay_out(&card);
        card.restart();
        if card.phy != 0 {
            let control = card.mdi(MDI_READ | (BMCR as u32) << 16);
            if control & (BMCR_OFF | BMCR_NEGOTIATE) != BMCR_NEGOTIATE {
                card.mdi(MDI_WRITE | (BMCR as u32) << 16 | (BMCR_NEGOTIATE | BMCR_RESTART) as u32);
            }
        }
        card.set_address(&found.mac);
        card.set_rcv_mode(RcvMode::Broadcast, &[]);
        Ok(card)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        let provoke = || bus.out8(found.io + MASK, MASK_OTHERS | MASK_RAISE);
        line::check(bus, found.irq, provoke, || device.irq() != Events::NONE)
    }
}

/// Writes the links, the configuration and the descriptors: all that does not change.
fn lay_out<B: Bus>(card: &I8255x<B>) {
    let put = |at: u16, value: u32| card.bus.put32(card.memory.plus(at), value);
    let place = |at: u16| card.physical + at as u32;
    for at in (0..Layout::TRANSMIT).step_by(4) {
        put(at, 0);
    }
    for ((at, command), next) in SET_UP.into_iter().zip([Layout::ADDRESS, Layout::GROUPS, Layout::TRANSMIT]) {
        put(at, command);
        put(at + 4, place(next));
    }
    let mut configuration = CONFIGURATION;
    if card.phy == 0 {
        configuration[8] = SERIAL_BYTE_8;
    }
    card.bus.give_own(configuration.as_ptr(), card.memory.plus(Layout::CONFIGURE + 8), 22);
    put(Layout::TRANSMIT + 4, place(Layout::TRANSMIT));
    // Simplified mode: there is no list of buffers.
    put(Layout::TRANSMIT + 8, !0);
    for at in (Layout::RECEIVE..card.end).step_by(SLOT as usize) {
        put(at, if at == card.last { LAST } else { 0 });
        put(at + 4, place(if at == card.last { Layout::RECEIVE } else { at + SLOT }));
        put(at + 8, !0);
        put(at + 12, ROOM << 16);
    }
}
