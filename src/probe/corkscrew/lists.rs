//! Starts the 3C515-TX as a bus master, if a trial succeeds.
//!
//! Linux uses the lists only if the EEPROM offers them, and says that receiving by them does not work at 10 Mb/s. So they are
//! tested first, at the medium's speed.

use super::CHANNELS;
use crate::bus::Bus;
use crate::drivers::boomerang::*;
use crate::drivers::corkscrew::{CorkscrewLists, ISA_LISTS};
use crate::drivers::el3::*;
use crate::probe::boomerang::{ROOM, TX_FREE_THRESHOLD, counts, start_lists};
use crate::probe::elink::{self, Chip};
use crate::probe::isa_pnp::REACH;
use crate::probe::loopback::Trial;
use crate::probe::{Ask, Fault, Found, Probe, Rings};

/// DMA configuration of the ISA bridge: the channel in bits 2:0.
const BRIDGE_DMA: u16 = 0x2000;
// Mask and mode registers of the DMA controllers (8237), of channels 0 to 3 and of 4 to 7.
const DMA_LOW: [u16; 2] = [0x0A, 0x0B];
const DMA_HIGH: [u16; 2] = [0xD4, 0xD6];
const   MASKED: u8 = 1 << 2;
const   CASCADE: u8 = 3 << 6;

/// The start of cards that [`super::CorkscrewProbe`] has found.
pub struct CorkscrewListsProbe;

/// Lets a card get the bus by a DMA channel (cascade mode), or masks the channel.
fn cascade(bus: &impl Bus, channel: u8, on: bool) {
    let [mask, mode] = if channel < 4 { DMA_LOW } else { DMA_HIGH };
    bus.out8(mask, MASKED | channel & 3);
    if on {
        bus.out8(mode, CASCADE | channel & 3);
        bus.out8(mask, channel & 3);
    }
}

impl<B: Bus> Probe<B> for CorkscrewListsProbe {
    type Device = CorkscrewLists<B>;

    fn find(_bus: &B, _ask: &Ask) -> Result<Found, Fault> {
        Err(Fault::End)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<CorkscrewLists<B>, Fault> {
        let counts = counts(rings)?;
        if rings.physical > REACH - rings.len {
            return Err(Fault::Memory);
        }
        let io = found.io;
        let channel = bus.in16(io + BRIDGE_DMA) as u8 & 7;
        if CHANNELS >> channel & 1 == 0 {
            return Err(Fault::Master);
        }
        let chip = Chip { bus: &bus, io };
        chip.command(INTERRUPT_MASK);
        chip.command_wait(UP_STALL)?;
        chip.command_wait(DOWN_STALL)?;
        chip.choose_media(found);
        // A change of duplex takes effect at a reset.
        chip.command_wait(TX_RESET)?;
        chip.command_wait(RX_RESET)?;
        chip.settle();
        bus.out8(io + ISA_LISTS + TX_FREE_THRESHOLD, ROOM);
        cascade(&bus, channel, true);
        if let Err(fault) = (Trial { bus: &bus, io, lists: ISA_LISTS, mac: &found.mac, counts, rings }).run() {
            cascade(&bus, channel, false);
            return Err(fault);
        }
        chip.settle();
        start_lists(bus, found, None, counts, rings)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        elink::line(bus, found)
    }
}
