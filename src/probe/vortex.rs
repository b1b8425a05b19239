//! Finds and starts the 3C590 and 3C595.

use super::elink::{self, Chip};
use super::pci;
use super::{Ask, Fault, Found, Probe, Rings};
use crate::bus::Bus;
use crate::device::{Device, RcvMode};
use crate::drivers::el3::*;
use crate::drivers::vortex::Vortex;

/// The probe of these cards.
pub struct VortexProbe;

/// Tries a PCI card with one of `ids`. `checked`: whether the place of its EEPROM's checksum is known.
pub(super) fn find<B: Bus>(bus: &B, ask: &Ask, ids: &[u32], checked: impl Fn(u32) -> bool) -> Result<Found, Fault> {
    let id = pci::candidate(bus, ask, ids)?;
    // Master only once it has been reset: another driver may have left its DMA on.
    pci::enable(bus, ask.pci, false)?;
    let io = pci::ports(bus, ask, 0)?;
    if bus.in16(io + COMMAND) == u16::MAX {
        return Err(Fault::Dead);
    }
    let chip = Chip { bus, io };
    let (mac, variant) = chip.settings(checked(id))?;
    if !chip.has(ask.media) {
        return Err(Fault::Media);
    }
    let irq = pci::irq(bus, ask);
    Ok(Found { mac, io, irq, variant, media: ask.media, pci: ask.pci, ..Found::default() })
}

/// Starts a card that has a FIFO for each direction.
pub(super) fn start<B: Bus>(bus: B, found: &Found) -> Result<El3<B, true>, Fault> {
    let chip = Chip { bus: &bus, io: found.io };
    chip.command(INTERRUPT_MASK);
    chip.choose_media(found);
    // A change of duplex takes effect at a reset.
    chip.command_wait(TX_RESET)?;
    chip.command_wait(RX_RESET)?;
    chip.settle();
    chip.command(TX_ENABLE);
    let mut card = El3::new(bus, found.io);
    card.set_address(&found.mac);
    card.set_rcv_mode(RcvMode::Broadcast, &[]);
    Ok(card)
}

impl<B: Bus> Probe<B> for VortexProbe {
    type Device = Vortex<B>;

    const IDS: &'static [u32] = &[
        0x5900_10B7, // 3C590
        0x5950_10B7, // 3C595-TX
        0x5951_10B7, // 3C595-T4
        0x5952_10B7, // 3C595-MII
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        find(bus, ask, <Self as Probe<B>>::IDS, |_| true)
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<Vortex<B>, Fault> {
        start(bus, found)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        elink::line(bus, found)
    }
}
