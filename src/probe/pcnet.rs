//! Finds and starts AMD's PCnet-PCI.

use super::pci;
use super::{Ask, Fault, Found, Probe, Rings, line};
use crate::bus::{Addr, Bus};
use crate::device::MacAddr;
use crate::drivers::pcnet::*;

/// The bits of CSR4 that stay set.
const CSR4_REST: u16 = CSR4_MASKS | CSR4_DPOLL;
/// CSR4: user interrupt; writing a one clears it.
const CSR4_UINT: u16 = 1 << 6;
/// CSR4: requests a user interrupt, if INEA allows it.
const CSR4_UINTCMD: u16 = 1 << 7;

/// The probe of these cards.
pub struct PcnetProbe;

/// A card while it is being set up.
struct Card<'a, B> {
    bus: &'a B,
    io: u16,
}

impl<B: Bus> Card<'_, B> {
    fn select(&self, register: u16) {
        self.bus.out16(self.io.wrapping_add(RAP as u16), register);
    }

    fn read(&self, data: u8, register: u16) -> u16 {
        self.select(register);
        self.bus.in16(self.io.wrapping_add(data as u16))
    }

    fn write(&self, data: u8, register: u16, value: u16) {
        self.select(register);
        self.bus.out16(self.io.wrapping_add(data as u16), value);
    }
}

impl<B: Bus> Probe<B> for PcnetProbe {
    // One layout for both units of the driver; the installer loads the one for the rings' memory.
    type Device = Pcnet<B, false>;

    const IDS: &'static [u32] = &[
        0x2000_1022, // AMD PCnet-PCI, PCnet-PCI II, PCnet-FAST
        0x2001_1022, // AMD PCnet-Home
        0x2000_1023, // the same with Trident's number
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        pci::enable(bus, ask.pci, false)?;
        let io = pci::ports(bus, ask, 0)?;
        // A driver with 32-bit accesses may have switched the ports to these; only a reset of the machine undoes that.
        let card = Card { bus, io };
        let _ = bus.in16(io.wrapping_add(RESET as u16));
        if card.read(RDP, CSR0) != CSR0_STOP || card.read(RDP, CSR88) & 0x0FFF != 3 {
            return Err(Fault::Dead);
        }
        // The reset has ended another driver's DMA.
        pci::enable(bus, ask.pci, true)?;
        let mut mac: MacAddr = [0; 6];
        for (port, byte) in (io..).zip(mac.iter_mut()) {
            *byte = bus.in8(port);
        }
        Ok(Found {
            mac,
            io,
            irq: pci::irq(bus, ask),
            pci: ask.pci,
            rings_low: bytes(false) as u16,
            rings_xms: bytes(true),
            ..Found::default()
        })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Pcnet<B, false>, Fault> {
        let ports = Card { bus: &bus, io: found.io };
        let _ = bus.in16(found.io.wrapping_add(RESET as u16));
        ports.write(BDP, BCR20, BCR20_PCNET_PCI);
        ports.write(BDP, BCR2, ports.read(BDP, BCR2) | BCR2_ASEL);
        ports.write(BDP, BCR18, ports.read(BDP, BCR18) | BCR18_BURSTS);
        ports.write(RDP, CSR3, CSR3_BABLM | CSR3_MERRM | CSR3_TINTM | CSR3_IDONM | CSR3_DXSUFLO);
        ports.write(RDP, CSR4, CSR4_REST);
        ports.write(RDP, CSR1, rings.physical as u16);
        ports.write(RDP, CSR1 + 1, (rings.physical >> 16) as u16);
        ports.select(CSR0);
        let deep = rings.len >= bytes(true);
        lay_out(&bus, found, rings, deep);
        let mut card = Pcnet::<B, false>::new(bus, found.io, rings.linear);
        let runs = if deep {
            let mut large = card.deep();
            let runs = large.restart();
            card = large.shallow();
            runs
        } else {
            card.restart()
        };
        if runs { Ok(card) } else { Err(Fault::Dead) }
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        let card = Card { bus, io: found.io };
        let provoke = || {
            card.write(RDP, CSR4, CSR4_REST | CSR4_UINTCMD);
            // INEA is written last: QEMU's line falls at the next access.
            card.write(RDP, CSR0, CSR0_INEA);
        };
        let quiet = || {
            card.write(RDP, CSR0, 0);
            let causes = card.read(RDP, CSR4);
            card.write(RDP, CSR4, CSR4_REST | CSR4_UINT);
            card.select(CSR0);
            causes & CSR4_UINT != 0
        };
        line::check(bus, found.irq, provoke, quiet)
    }
}

/// Writes the initialization block, and the fields of descriptors that do not change.
fn lay_out<B: Bus>(bus: &B, found: &Found, rings: &Rings, deep: bool) {
    let (receive, transmit) = logs(deep);
    let [a, b, c, d, e, f] = found.mac;
    let second = DESCRIPTORS as u32 + (16 << receive);
    let end = second + (16 << transmit);
    let words = [
        (INIT_MODE, (receive as u32) << 20 | (transmit as u32) << 28),
        (INIT_PADR, u32::from_le_bytes([a, b, c, d])),
        (INIT_PADR + 4, u16::from_le_bytes([e, f]) as u32),
        (INIT_LADRF, 0),
        (INIT_LADRF + 4, 0),
        (INIT_RDRA, rings.physical + DESCRIPTORS as u32),
        (INIT_TDRA, rings.physical + second),
    ];
    for (offset, word) in words {
        bus.put32(rings.linear.plus(offset), word);
    }
    let mut buffer = rings.physical + end;
    let mut at = DESCRIPTORS as u32;
    while at != end {
        let descriptor = Addr(rings.linear.0 + at);
        bus.put32(descriptor, buffer);
        bus.put32(descriptor.plus(8), 0);
        buffer += if at < second { receive_buffer(deep) } else { BUFFER } as u32;
        at += 16;
    }
}
