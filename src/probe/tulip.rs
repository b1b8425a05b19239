//! Finds and starts the 21142 and 21143.

use super::microwire::{self, Wires};
use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, line};
use crate::bus::Bus;
use crate::device::{Counters, Device, RcvMode};
use crate::drivers::mii::{ABILITY_10, ABILITY_100, ANAR, BMCR, BMCR_NEGOTIATE, BMCR_RESTART, BMSR};
use crate::drivers::tulip::*;

/// PCI configuration: sleep and snooze in bits 31:30.
const CFDD: u8 = 0x40;
const   CFDD_SLEEP: u32 = 3 << 30;
/// CSR9: selects the serial ROM for reading; its wires are bits 3:0.
const CSR9_SROM: u32 = 1 << 14 | 1 << 11;
/// SIA connectivity; 0: reset, 1: running.
const CSR13: u8 = 0x68;
/// SIA transmit and receive.
const CSR14: u8 = 0x70;
/// 10BASE-T with negotiation; the chip offers half duplex.
const   CSR14_TEN: u32 = 0xFFFF;
/// SIA general.
const CSR15: u8 = 0x78;
/// The coaxial port is off.
const   CSR15_TEN: u32 = 8;
/// CSR5 and CSR7: the transmitter has found no descriptor that it owns.
const CSR5_TU: u32 = 1 << 2;
/// CSR12: restart the negotiation (its first state disables transmission), clear its results.
const CSR12_NEGOTIATE: u32 = 0x1301;

/// The word of the serial ROM where the address begins (Digital Semiconductor SROM Format 4.05).
const SROM_MAC: u8 = 10;

/// Half duplex at 100 and 10 Mb/s only: so the chip's duplex is known without the result of the negotiation.
const ANAR_HALF: u16 = ABILITY_100 | ABILITY_10 | 1;
/// Start and write opcode of a management frame, and the turnaround.
const MII_WRITE: u32 = 0b0101 << 28 | 2 << 16;

// Numbers of receive descriptors: in XMS, and in conventional memory.
const DEEP: u16 = 32;
const SHALLOW: u16 = 3;

/// Bytes of the memory for so many receive descriptors.
const fn bytes(receive: u16) -> u16 {
    RECEIVE + receive * SLOT
}

struct Ports<'a, B> {
    bus: &'a B,
    csr9: u16,
}

impl<B: Bus> Wires for Ports<'_, B> {
    fn set(&self, wires: u8) {
        // CSR9 has clock and select in each other's bit.
        let wires = wires & !3 | (wires & 1) << 1 | wires >> 1 & 1;
        self.bus.out32(self.csr9, CSR9_SROM | wires as u32);
        self.bus.clock();
    }

    fn output(&self) -> bool {
        self.bus.in32(self.csr9) & microwire::DO as u32 != 0
    }
}

/// The probe of these cards.
pub struct TulipProbe;

impl<B: Bus> Probe<B> for TulipProbe {
    type Device = Tulip<B>;

    const IDS: &'static [u32] = &[
        0x0019_1011, // 21142, 21143
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        // Bus master only after the reset: another driver may have left DMA on.
        pci::enable(bus, ask.pci, false)?;
        let mode = bus.config_read(ask.pci, CFDD);
        bus.config_write(ask.pci, CFDD, mode & !CFDD_SLEEP);
        let io = pci::ports(bus, ask, 0)?;
        if bus.in32(io) == u32::MAX {
            return Err(Fault::Dead);
        }
        let ports = Ports { bus, csr9: io + CSR9 as u16 };
        let bits = microwire::address_bits(&ports);
        let [[a, b], [c, d], [e, f]] = [0, 1, 2].map(|word| microwire::read(&ports, bits, SROM_MAC + word).to_le_bytes());
        let mac = [a, b, c, d, e, f];
        Ok(Found {
            mac,
            io,
            irq: pci::irq(bus, ask),
            pci: ask.pci,
            rings_xms: bytes(DEEP) as u32,
            rings_low: bytes(SHALLOW),
            ..Found::default()
        })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        let depth = if rings.len >= bytes(DEEP) as u32 { DEEP } else { SHALLOW };
        if rings.len < bytes(depth) as u32 {
            return Err(Fault::Memory);
        }
        let mut card = Tulip {
            count: Counters::default(),
            memory: rings.linear,
            io: found.io,
            busy: 0,
            tx: 0,
            rx: RECEIVE,
            end: bytes(depth),
            mac: found.mac,
            phy: 0,
            mode: RcvMode::Broadcast,
            bus,
        };
        card.stop();
        pci::enable(&card.bus, found.pci, true)?;
        lay_out(&card, rings.physical);
        let mode = connect(&mut card);
        // The port that CSR6 selects takes effect at a reset.
        card.put(CSR6, mode);
        card.stop();
        card.put(CSR0, CSR0_BURSTS);
        if mode & CSR6_PS == 0 {
            card.put(CSR13, 1);
            card.put(CSR14, CSR14_TEN);
            card.put(CSR15, CSR15_TEN);
        }
        card.put(CSR3, rings.physical + RECEIVE as u32);
        card.put(CSR4, rings.physical);
        card.put(CSR6, mode | CSR6_ST);
        if mode & CSR6_PS == 0 {
            card.put(CSR12, CSR12_NEGOTIATE);
        }
        card.set_rcv_mode(RcvMode::Broadcast, &[]);
        Ok(card)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        let provoke = || {
            // A transmit poll with no frame is a cause (TU).
            device.put(CSR7, CSR5_NIS | CSR5_TU);
            device.put(CSR1, 0);
        };
        let quiet = || {
            device.put(CSR7, 0);
            let causes = device.get(CSR5);
            device.put(CSR5, CSR5_NIS | CSR5_TU);
            causes & CSR5_TU != 0
        };
        line::check(bus, found.irq, provoke, quiet)
    }
}

/// Looks for a PHY and lets it offer what the chip will be set to. Returns CSR6 for that PHY, or for the chip's own port.
fn connect<B: Bus>(card: &mut Tulip<B>) -> u32 {
    for phy in 0..32 {
        card.phy = phy;
        if !matches!(card.mii_get(BMSR), 0 | 0x7FFF | 0xFFFF) {
            if card.mii_get(ANAR) != ANAR_HALF {
                write(card, ANAR, ANAR_HALF as u32);
                write(card, BMCR, (BMCR_NEGOTIATE | BMCR_RESTART) as u32);
            }
            return CSR6_MBO | CSR6_SF | CSR6_HBD | CSR6_PS;
        }
    }
    card.phy = u8::MAX;
    CSR6_MBO | CSR6_SF | CSR6_TTM
}

/// Writes a register of the PHY.
fn write<B: Bus>(card: &Tulip<B>, register: u8, value: u32) {
    card.mii_put(!0);
    card.mii_put(MII_WRITE | (card.phy as u32) << 23 | (register as u32) << 18 | value);
}

/// Writes the fields of the descriptors that do not change, and gives the receive descriptors to the chip.
fn lay_out<B: Bus>(card: &Tulip<B>, physical: u32) {
    let put = |at: u16, value: u32| card.bus.put32(card.memory.plus(at), value);
    let place = |at: u16| physical + at as u32;
    for at in [0, DESCRIPTOR] {
        put(at, 0);
        put(at + 8, place(TRANSMIT));
        put(at + 12, place(at ^ DESCRIPTOR));
    }
    for at in (RECEIVE..card.end).step_by(SLOT as usize) {
        let next = at + SLOT;
        put(at, OWN);
        put(at + 4, CHAINED | BUFFER as u32);
        put(at + 8, place(at + DESCRIPTOR));
        put(at + 12, place(if next == card.end { RECEIVE } else { next }));
    }
}
