//! Finds and starts the 3C900 and 3C905, and their B and C.

use super::elink::{self, Chip, NO_PHY};
use super::{Ask, Fault, Found, Probe, Rings, pci, vortex};
use crate::bus::{Addr, Bus};
use crate::device::{Device, RcvMode};
use crate::drivers::boomerang::*;
use crate::drivers::el3::*;

/// The probe of these cards.
pub struct BoomerangProbe;

// Numbers of transmit and receive slots, at least two: in XMS, and in conventional memory.
pub(super) const DEEP: (u8, u8) = (8, 64);
pub(super) const SHALLOW: (u8, u8) = (2, 2);
/// Not on a B or C: the card fetches a frame when it has this much room, in units of 256 bytes.
pub(super) const TX_FREE_THRESHOLD: u16 = 0x0F;
pub(super) const   ROOM: u8 = 6;
/// The cards before the B: 3C900-TPO, 3C900-COMBO, 3C905-TX, 3C905-T4.
const FIRST: [u32; 4] = [0x9000_10B7, 0x9001_10B7, 0x9050_10B7, 0x9051_10B7];
/// A C, whose EEPROM has its checksum in another word.
const FIRST_C: u32 = 0x9200_10B7;

/// Numbers of transmit and receive slots that fit into the rings.
pub(super) fn counts(rings: &Rings) -> Result<(u8, u8), Fault> {
    [DEEP, SHALLOW].into_iter().find(|(transmit, receive)| rings.len >= bytes(*transmit, *receive)).ok_or(Fault::Memory)
}

/// Writes the descriptors.
pub(super) fn lay_out(bus: &impl Bus, rings: &Rings, (transmit, receive): (u8, u8)) {
    let first = transmit as u32;
    for index in 0..first + receive as u32 {
        // The receive descriptors are linked to a ring. A transmit descriptor is linked when its frame is sent.
        let next = match index.checked_sub(first) {
            None => 0,
            Some(at) if at + 1 == receive as u32 => rings.physical + first * SLOT,
            Some(_) => rings.physical + (index + 1) * SLOT,
        };
        let desc = Addr(rings.linear.0 + index * SLOT);
        bus.put32(desc, next);
        bus.put32(desc.plus(STATE), 0);
        bus.put32(desc.plus(8), rings.physical + index * SLOT + DESC);
        bus.put32(desc.plus(LENGTH), BUFFER | LAST);
    }
}

impl<B: Bus> Probe<B> for BoomerangProbe {
    type Device = Boomerang<B>;

    const IDS: &'static [u32] = &[
        0x9000_10B7, // 3C900-TPO
        0x9001_10B7, // 3C900-COMBO
        0x9004_10B7, // 3C900B-TPO
        0x9005_10B7, // 3C900B-COMBO
        0x9006_10B7, // 3C900B-TPC
        0x900A_10B7, // 3C900B-FL
        0x9050_10B7, // 3C905-TX
        0x9051_10B7, // 3C905-T4
        0x9055_10B7, // 3C905B-TX
        0x9056_10B7, // 3C905B-T4
        0x9058_10B7, // 3C905B-COMBO
        0x905A_10B7, // 3C905B-FX
        0x9200_10B7, // 3C905C-TX
        0x9201_10B7, // 3C920
        0x9202_10B7, // 3C920
        0x9800_10B7, // 3C980-TX
        0x9805_10B7, // 3C980C-TXM
        0x7646_10B7, // 3CSOHO100-TX
        0x4500_10B7, // 3C450-TX
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let found = vortex::find(bus, ask, <Self as Probe<B>>::IDS, |id| id < FIRST_C)?;
        let [rings_xms, rings_low] = [DEEP, SHALLOW].map(|(transmit, receive)| bytes(transmit, receive));
        Ok(Found { rings_xms, rings_low: rings_low as u16, ..found })
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Boomerang<B>, Fault> {
        let counts = counts(rings)?;
        let io = found.io;
        let chip = Chip { bus: &bus, io };
        chip.command(INTERRUPT_MASK);
        chip.command_wait(UP_STALL)?;
        chip.command_wait(DOWN_STALL)?;
        chip.command_wait(TX_RESET)?;
        chip.command_wait(RX_RESET | RX_RESET_SPARES)?;
        pci::enable(&bus, found.pci, true)?;
        let phy = chip.choose_media(found);
        chip.settle();
        if FIRST.contains(&pci::id(&bus, found.pci)) {
            bus.out8(io + PCI_LISTS + TX_FREE_THRESHOLD, ROOM);
        }
        let phy = if phy == NO_PHY { None } else { Some(phy) };
        start_lists(bus, found, phy, counts, rings)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        elink::line(bus, found)
    }
}

/// Starts the lists of a card that is set up already.
pub(super) fn start_lists<B: Bus, const LISTS: u16>(
    bus: B,
    found: &Found,
    phy: Option<u8>,
    counts: (u8, u8),
    rings: &Rings,
) -> Result<Boomerang<B, LISTS>, Fault> {
    lay_out(&bus, rings, counts);
    bus.out32(found.io + LISTS + DOWN_LIST, 0);
    bus.out16(found.io + COMMAND, DOWN_UNSTALL);
    let mut card = Boomerang::new(bus, found.io, phy, counts, rings);
    card.start_transmitter();
    card.set_address(&found.mac);
    card.start_receiver();
    card.set_rcv_mode(RcvMode::Broadcast, &[]);
    if card.answers() { Ok(card) } else { Err(Fault::Dead) }
}
