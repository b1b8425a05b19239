//! Finds and starts the RTL8029 and other NE2000 compatibles on the PCI bus.

use super::ne2000::{Card, STOPPED, WIDE_RAM, line_of, start};
use super::pci;
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::Bus;
use crate::drivers::dp8390::CR;
use crate::drivers::ne2k_pci::Ne2kPci;

/// The probe of the PCI cards.
pub struct Ne2kPciProbe;

impl<B: Bus> Probe<B> for Ne2kPciProbe {
    type Device = Ne2kPci<B>;
    const SPEED: u8 = 1;

    const IDS: &'static [u32] = &[
        0x8029_10EC, // Realtek RTL8029(AS)
        0x0940_1050, // Winbond W89C940
        0x5A5A_1050, // Winbond W89C940F
        0x0926_1106, // VIA VT86C926
        0x1401_11F6, // Compex RL2000
        0x3000_8E2E, // KTI ET32P2
        0x5000_4A14, // NetVin NV5000SC
        0x0E34_10BD, // SureCom NE34
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        pci::candidate(bus, ask, <Self as Probe<B>>::IDS)?;
        pci::enable(bus, ask.pci, false)?;
        let io = pci::ports(bus, ask, 0)?;
        let card = Card::<B, true> { bus, io };
        let (variant, mac) = card.identify(WIDE_RAM).map_err(|fault| match fault {
            // The PCI identity says that it is an NE2000: it is faulty.
            Fault::Nothing => Fault::Dead,
            other => other,
        })?;
        card.put(CR, STOPPED);
        let irq = pci::irq(bus, ask);
        Ok(Found { mac, io, irq, variant, pci: ask.pci, ..Found::default() })
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<Ne2kPci<B>, Fault> {
        start(bus, found, WIDE_RAM)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        line_of::<B, true>(bus, found)
    }
}
