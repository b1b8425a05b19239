//! Finds and starts the 3C515-TX, by ISA Plug and Play: it answers nothing before that.

use super::boomerang::{DEEP, SHALLOW};
use super::elink::{self, CONFIG_HIGH, Chip, variant};
use super::isa_pnp::{Card, free};
use super::{Ask, Fault, Found, Probe, Rings, is_station, vortex};
use crate::bus::Bus;
use crate::device::MacAddr;
use crate::drivers::boomerang::bytes;
use crate::drivers::corkscrew::Corkscrew;
use crate::drivers::el3::COMMAND;

pub mod lists;

/// Its identity by Plug and Play: TCM5051.
pub const IDENTITY: u32 = 0x506D_5051;
/// First ports that it may be given; its other blocks are 400h and 2000h higher.
const PLACES: [u16; 8] = [0x300, 0x320, 0x340, 0x280, 0x220, 0x240, 0x260, 0x2A0];
const BLOCKS: [(u16, u16); 3] = [(0, 0x20), (0x400, 0x20), (0x2000, 0x10)];
/// Lines that it may be given; the first that is masked is used.
const LINES: [u8; 8] = [5, 10, 11, 9, 7, 3, 12, 15];
/// The masks of the two interrupt controllers.
const MASKS: [u16; 2] = [0x21, 0xA1];
// DMA channels that it may have, one bit each; and the order in which a channel is given, those of sound cards last.
const CHANNELS: u8 = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7;
const FREE_CHANNELS: [u8; 3] = [7, 6, 5];
// The EEPROM, by the ISA bridge.
const BRIDGE_EEPROM: u16 = 0x200A;
const   EEPROM_READ: u16 = 2 << 6;
const   EEPROM_BUSY: u16 = 1 << 9;
const BRIDGE_EEPROM_DATA: u16 = 0x200C;
const EEPROM_LIMIT: u16 = 1_000;
/// Words of the EEPROM under the checksum, itself included.
const EEPROM_WORDS: u16 = 0x18;
/// The word of the EEPROM with the card's capabilities.
const CAPABILITIES: u16 = 0x10;
const   CAN_LISTS: u16 = 1 << 5;

/// The probe of these cards.
pub struct CorkscrewProbe;

/// The first line that is masked, so that no other handler uses it.
fn free_line(bus: &impl Bus) -> Option<u8> {
    let [first, second] = MASKS.map(|port| bus.in8(port));
    let masks = u16::from_le_bytes([first, second]);
    LINES.into_iter().find(|line| masks >> line & 1 != 0)
}

/// Reads the EEPROM: address, [`variant`], and whether it offers descriptor lists.
fn identify(bus: &impl Bus, io: u16) -> Result<(MacAddr, u8, bool), Fault> {
    if bus.in16(io + COMMAND) == u16::MAX {
        return Err(Fault::Dead);
    }
    let (mut sum, mut mac, mut kind, mut lists) = (0, [0; 6], 0, false);
    for at in 0..EEPROM_WORDS {
        bus.out16(io + BRIDGE_EEPROM, EEPROM_READ | at);
        bus.wait(EEPROM_LIMIT, || bus.in16(io + BRIDGE_EEPROM) & EEPROM_BUSY == 0).map_err(|_| Fault::Dead)?;
        let word = bus.in16(io + BRIDGE_EEPROM_DATA);
        if let Some(pair) = mac.chunks_exact_mut(2).nth(at as usize) {
            pair.copy_from_slice(&word.to_be_bytes());
        }
        if at == CONFIG_HIGH {
            kind = variant(word);
        }
        if at == CAPABILITIES {
            lists = word & CAN_LISTS != 0;
        }
        sum ^= word;
    }
    if sum >> 8 != sum & 0xFF || !is_station(&mac) {
        return Err(Fault::Eeprom);
    }
    Ok((mac, kind, lists))
}

impl<B: Bus> Probe<B> for CorkscrewProbe {
    type Device = Corkscrew<B>;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let Some(card) = Card::find(bus, ask.index, |id| id == IDENTITY, |io| ask.is_taken(io)) else {
            return Err(Fault::End);
        };
        let asked = |io: &u16| ask.io == 0 || ask.io == *io;
        // Not even a read is allowed from registers of a card in use.
        let room = |io: &u16| !ask.is_taken(*io) && !ask.is_taken(*io + 0x10) && BLOCKS.iter().all(|(offset, count)| free(bus, *io + offset, *count));
        let was_active = card.active();
        let (place, line) = if was_active {
            if !asked(&card.io()) {
                card.close();
                return Err(Fault::Nothing);
            }
            (Some(card.io()), Some(card.irq()))
        } else if ask.io & 0x1F != 0 {
            (None, None)
        } else if ask.io != 0 {
            (Some(ask.io).filter(room), free_line(bus))
        } else {
            (PLACES.into_iter().find(room), free_line(bus))
        };
        let Some(io) = place else {
            card.close();
            return Err(Fault::Resources);
        };
        let line = if ask.irq != 0 { Some(ask.irq) } else { line };
        let Some(irq) = line.filter(|line| LINES.contains(line)) else {
            card.close();
            return Err(Fault::Irq);
        };
        let channel = if was_active { card.dma() } else { 0 };
        card.activate(io, irq);
        let found = identify(bus, io).and_then(|(mac, variant, lists)| {
            if !(Chip { bus, io }).has(ask.media) {
                return Err(Fault::Media);
            }
            let found = Found { mac, io, irq, variant, media: ask.media, plain: true, ..Found::default() };
            if !lists {
                return Ok(found);
            }
            let others = card.channels_of_others();
            let own = (CHANNELS >> channel & 1 != 0).then_some(channel);
            let Some(channel) = own.or_else(|| FREE_CHANNELS.into_iter().find(|channel| others >> channel & 1 == 0)) else {
                return Ok(found);
            };
            card.set_dma(channel);
            let [rings_xms, rings_low] = [DEEP, SHALLOW].map(|(transmit, receive)| bytes(transmit, receive));
            Ok(Found { rings_xms, rings_low: rings_low as u16, ..found })
        });
        card.keep(was_active || found.is_ok());
        found
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<Corkscrew<B>, Fault> {
        vortex::start(bus, found)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        elink::line(bus, found)
    }
}
