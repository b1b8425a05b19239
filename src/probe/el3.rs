//! Finds and starts the 3C509 and 3C509B, by the ID port, at which cards contend with their EEPROM's bits.

use super::isa_pnp::{self, Card};
use super::{Ask, Fault, Found, Probe, Rings, elink, is_station, media};
use crate::bus::Bus;
use crate::device::{Device, MacAddr, RcvMode};
use crate::drivers::el3::*;

/// The usual ID port; any port from 100h to 1F0h works.
const ID_PORT: u16 = 0x110;
// ID commands.
const ID_READ: u8 = 0x80;
const ID_GLOBAL_RESET: u8 = 0xC0;
const ID_SET_TAG: u8 = 0xD0;
const ID_TEST_TAG: u8 = 0xD8;
const ID_ACTIVATE: u8 = 0xFF; // at the base that the EEPROM says
/// The most cards: a tag has three bits, and 0 is for cards without a tag.
const CARDS: u8 = 7;
// A word of the EEPROM takes 162 microseconds; a reset takes 310, and reads the EEPROM.
const EEPROM_US: u16 = 200;
const RESET_US: u16 = 5_000;

/// Words of the EEPROM.
const WORDS: usize = 16;
const PRODUCT: usize = 3;
const   PRODUCT_MASK: u16 = 0xF0FF;
const   PRODUCT_FAMILY: u16 = 0x9050;
const MANUFACTURER: usize = 7;
const   MANUFACTURER_3COM: u16 = 0x6D50;
const ADDRESS: usize = 8;
const   BASE_CODE: u16 = 0x1F;
const   BASE_EISA: u16 = 0x1F;
const   TRANSCEIVER: u16 = 3 << 14;
const RESOURCE: usize = 9;
const SOFTWARE: u16 = 13;
const   FULL_DUPLEX: u16 = 1 << 15;
const CHECKSUM: usize = 15;
const CONFIG_HIGH: u16 = 0x13;
const   AUTOSELECT: u16 = 1 << 8;

/// Plug and Play: identifiers TCM5090 to TCM509F.
pub const PNP_FAMILY: u32 = 0x506D_5090;
/// Ports that the card may be given.
const PNP_PLACES: [u16; 8] = [0x300, 0x310, 0x320, 0x340, 0x280, 0x240, 0x260, 0x210];
/// The line until the EEPROM has been read.
const PNP_IRQ: u8 = 10;

/// Window 0.
const W0_MANUFACTURER: u16 = 0x00;
const W0_CONFIG: u16 = 0x04;
const   CONFIG_ENABLE: u16 = 1 << 0;
/// Bits of the transceivers that are fitted, by the media's numbers; number 2 does not exist.
const   FITTED: [u16; 4] = [1 << 9, 1 << 13, 0, 1 << 12];
const W0_ADDRESS: u16 = 0x06;
const W0_RESOURCE: u16 = 0x08;
const W0_EEPROM: u16 = 0x0A;
const   EEPROM_READ: u16 = 2 << 6;
const   EEPROM_BUSY: u16 = 1 << 15;
const W0_EEPROM_DATA: u16 = 0x0C;
const EEPROM_LIMIT: u16 = 1_000;
const COMMAND_LIMIT: u16 = 1_000;
/// Window 4.
const W4_DIAGNOSTIC: u16 = 0x06;
const   DIAGNOSTIC_FULL_DUPLEX: u16 = 1 << 15;
const   DIAGNOSTIC_REVISION: u16 = 31 << 1;
const   REVISION_B: u16 = 2 << 1;
/// Limit for twisted pair to show its link, in steps of 20 ms.
const LINK_STEPS: u8 = 60;
const STEP_US: u16 = 20_000;
/// Window 6: one-byte counters, then two of two bytes; reading clears them.
const W6_LAST: u16 = 0x08;
const W6_BYTES_IN: u16 = 0x0A;
const W6_BYTES_OUT: u16 = 0x0C;
const START_COAX: u16 = 0x02 << 11;
const COAX_US: u16 = 1_000;
const STOP_COAX: u16 = 0x17 << 11;
const STATISTICS_OFF: u16 = 0x16 << 11;
/// Bytes of a frame in the FIFO when its transmission begins. An 8-bit bus with 1.2 microseconds a byte still keeps ahead of
/// the wire's 0.8. On a slower bus the reset after the first underrun sets this back.
const TX_AHEAD: u16 = 512;
// The 3C509's transceivers, as in `Found::variant`.
const TP: u8 = 0;
const AUI: u8 = 1;
const COAX: u8 = 3;

/// The probe of these cards.
pub struct El3Probe;

/// Writes the ID sequence, which wakes every card that listens at the ID port.
fn wake(bus: &impl Bus) {
    bus.out8(ID_PORT, 0);
    bus.out8(ID_PORT, 0);
    let mut byte: u16 = 0xFF;
    for _ in 0..255 {
        bus.out8(ID_PORT, byte as u8);
        byte <<= 1;
        if byte & 0x100 != 0 {
            byte ^= 0x1CF;
        }
    }
}

fn pause(bus: &impl Bus, us: u16) {
    // The wait always reaches its limit: it is used as a delay.
    let _ = bus.wait(us, || false);
}

/// Reads a word of the EEPROM bit by bit. A card that sends 1 and sees 0 leaves the contention.
fn id_word(bus: &impl Bus, at: usize) -> u16 {
    bus.out8(ID_PORT, ID_READ | at as u8);
    pause(bus, EEPROM_US);
    let mut word = 0;
    for _ in 0..16 {
        word = word << 1 | (bus.in8(ID_PORT) & 1) as u16;
    }
    word
}

/// Lets the cards without a tag contend; returns the EEPROM of the one that is left.
fn contend(bus: &impl Bus) -> Option<[u16; WORDS]> {
    wake(bus);
    bus.out8(ID_PORT, ID_TEST_TAG);
    if id_word(bus, MANUFACTURER) != MANUFACTURER_3COM {
        return None;
    }
    let mut eeprom = [0; WORDS];
    for (at, word) in eeprom.iter_mut().enumerate() {
        *word = id_word(bus, at);
    }
    Some(eeprom)
}

/// A card at the ID port.
pub struct Listed {
    /// Its address.
    pub mac: MacAddr,
    /// Its product number.
    pub product: u16,
    /// Its first port; 0: it is configured for EISA.
    pub io: u16,
    /// Its line.
    pub irq: u8,
}

/// Tells of each card that listens to the ID port, for `/V`. A card that is active does not listen. No card is activated; each
/// gets a tag, which a search takes away from it again.
pub fn list(bus: &impl Bus, mut tell: impl FnMut(&Listed)) {
    wake(bus);
    bus.out8(ID_PORT, ID_SET_TAG);
    for tag in 1..=CARDS {
        let Some(eeprom) = contend(bus) else { break };
        bus.out8(ID_PORT, ID_SET_TAG | tag);
        let code = word(&eeprom, ADDRESS) & BASE_CODE;
        let io = if code == BASE_EISA { 0 } else { 0x200 + (code << 4) };
        tell(&Listed { mac: address(&eeprom), product: word(&eeprom, PRODUCT), io, irq: (word(&eeprom, RESOURCE) >> 12) as u8 });
    }
}

/// Whether word 15 is right: in its high byte the XOR of the bytes of all words but 8, 9 and 13, which setup programs change;
/// in its low byte that of these three.
fn checksum_fits(eeprom: &[u16; WORDS]) -> bool {
    let (mut fixed, mut changed) = (0, 0);
    for (at, word) in eeprom.iter().enumerate() {
        match at {
            8 | 9 | 13 => changed ^= word ^ word >> 8,
            CHECKSUM => {}
            _ => fixed ^= word ^ word >> 8,
        }
    }
    eeprom.get(CHECKSUM).is_some_and(|sum| *sum == fixed << 8 | changed & 0xFF)
}

fn address(eeprom: &[u16; WORDS]) -> MacAddr {
    let [first, second, third, ..] = eeprom;
    let ([a, b], [c, d], [e, f]) = (first.to_be_bytes(), second.to_be_bytes(), third.to_be_bytes());
    [a, b, c, d, e, f]
}

fn word(eeprom: &[u16; WORDS], at: usize) -> u16 {
    eeprom.get(at).copied().unwrap_or(0)
}

/// Checks the EEPROM and reads it, all but the ports.
fn examine(eeprom: &[u16; WORDS], ask: &Ask) -> Result<Found, Fault> {
    if word(eeprom, PRODUCT) & PRODUCT_MASK != PRODUCT_FAMILY {
        return Err(Fault::Nothing);
    }
    let mac = address(eeprom);
    if !checksum_fits(eeprom) || !is_station(&mac) {
        return Err(Fault::Eeprom);
    }
    let irq = if ask.irq != 0 { ask.irq } else { (word(eeprom, RESOURCE) >> 12) as u8 };
    if !matches!(irq, 3 | 5 | 7 | 9..=12 | 15) {
        return Err(Fault::Irq);
    }
    let variant = (word(eeprom, ADDRESS) >> 14) as u8;
    Ok(Found { mac, irq, variant, media: ask.media, ..Found::default() })
}

/// Whether the card answers at its ports and has the medium.
fn confirm(bus: &impl Bus, found: Found) -> Result<Found, Fault> {
    bus.out16(found.io + COMMAND, SELECT_WINDOW);
    if bus.in16(found.io + W0_MANUFACTURER) != MANUFACTURER_3COM {
        return Err(Fault::Resources);
    }
    let fitted = bus.in16(found.io + W0_CONFIG);
    let number = (found.media & !media::FULL).wrapping_sub(1);
    let has = FITTED.get(number as usize).is_some_and(|bit| fitted & bit != 0);
    let full = found.media & media::FULL != 0 && !is_b(bus, found.io);
    if full || !has && !matches!(found.media, 0 | media::AUTO) { Err(Fault::Media) } else { Ok(found) }
}

/// Whether it is a 3C509B: the first 3C509 has no full duplex. Leaves window 0 selected.
fn is_b(bus: &impl Bus, io: u16) -> bool {
    bus.out16(io + COMMAND, SELECT_WINDOW | 4);
    let revision = bus.in16(io + W4_DIAGNOSTIC) & DIAGNOSTIC_REVISION;
    bus.out16(io + COMMAND, SELECT_WINDOW);
    revision >= REVISION_B
}

/// Reads a word of the EEPROM, by window 0.
fn eeprom_word(bus: &impl Bus, io: u16, at: u16) -> Result<u16, Fault> {
    bus.out16(io + W0_EEPROM, EEPROM_READ | at);
    bus.wait(EEPROM_LIMIT, || bus.in16(io + W0_EEPROM) & EEPROM_BUSY == 0).map_err(|_| Fault::Dead)?;
    Ok(bus.in16(io + W0_EEPROM_DATA))
}

/// Selects the transceiver that the user or else the EEPROM names, or one that is fitted if the card shall choose. Leaves
/// window 4 selected.
fn choose_media(bus: &impl Bus, found: &Found) -> Result<(), Fault> {
    let io = found.io;
    let window = |number: u16| bus.out16(io + COMMAND, SELECT_WINDOW | number);
    window(0);
    let own = (eeprom_word(bus, io, CONFIG_HIGH)?, eeprom_word(bus, io, SOFTWARE)?);
    let fitted = bus.in16(io + W0_CONFIG);
    let is_b = is_b(bus, io);
    let select = |transceiver: u8| {
        window(0);
        let address = bus.in16(io + W0_ADDRESS) & !TRANSCEIVER;
        bus.out16(io + W0_ADDRESS, address | (transceiver as u16) << 14);
        window(4);
        let mode = bus.in16(io + MEDIA) & !(MEDIA_LINK_ENABLE | MEDIA_JABBER_ENABLE);
        let twisted = if transceiver == TP { MEDIA_LINK_ENABLE | MEDIA_JABBER_ENABLE } else { 0 };
        bus.out16(io + MEDIA, mode | twisted);
    };
    let beats = || (0..LINK_STEPS).any(|_| {
        pause(bus, STEP_US);
        bus.in16(io + MEDIA) & MEDIA_LINK_BEAT != 0
    });
    let chosen = match found.media & !media::FULL {
        0 if !is_b || own.0 & AUTOSELECT == 0 => found.variant,
        0 | media::AUTO => {
            // A coaxial cable cannot be detected: these are used if twisted pair has no link.
            let left = [COAX, AUI].into_iter().find(|other| FITTED.get(*other as usize).is_some_and(|bit| fitted & bit != 0));
            select(TP);
            left.filter(|_| !beats()).unwrap_or(TP)
        }
        number => number - 1,
    };
    select(chosen);
    let full = found.media & media::FULL != 0 || found.media == 0 && is_b && own.1 & FULL_DUPLEX != 0;
    let diagnostic = bus.in16(io + W4_DIAGNOSTIC) & !DIAGNOSTIC_FULL_DUPLEX;
    bus.out16(io + W4_DIAGNOSTIC, diagnostic | if full && chosen == TP { DIAGNOSTIC_FULL_DUPLEX } else { 0 });
    if chosen == COAX {
        bus.out16(io + COMMAND, START_COAX);
        pause(bus, COAX_US);
        bus.wait(COMMAND_LIMIT, || bus.in16(io + COMMAND) & BUSY == 0).map_err(|_| Fault::Dead)
    } else {
        bus.out16(io + COMMAND, STOP_COAX);
        Ok(())
    }
}

/// A card that does not listen to its ID port because it waits for the Plug and Play key.
fn by_pnp(bus: &impl Bus, ask: &Ask) -> Result<Found, Fault> {
    let ours = |id: u32| id & !0xF == PNP_FAMILY;
    let Some(card) = Card::find(bus, 0, ours, |io| ask.is_taken(io)) else { return Err(Fault::End) };
    let mut places = PNP_PLACES.into_iter().filter(|io| ask.io == 0 || ask.io == *io);
    let place = if card.active() { Some(card.io()) } else { places.find(|io| !ask.is_taken(*io) && isa_pnp::free(bus, *io, 16)) };
    let irq = card.irq();
    let Some(io) = place.filter(|io| ask.io == 0 || ask.io == *io) else {
        card.close();
        return Err(Fault::Resources);
    };
    let was_active = card.active();
    card.activate(io, if irq != 0 { irq } else { PNP_IRQ });
    let found = at_its_ports(bus, io, ask);
    // Activates the card again, now with the line of its EEPROM.
    if let Ok(found) = &found {
        card.activate(io, found.irq);
    }
    card.keep(was_active || found.is_ok());
    confirm(bus, found?)
}

/// The card at these ports, by its EEPROM.
fn at_its_ports(bus: &impl Bus, io: u16, ask: &Ask) -> Result<Found, Fault> {
    confirm(bus, Found { io, ..Found::default() })?;
    let mut eeprom = [0; WORDS];
    for (at, word) in (0..).zip(eeprom.iter_mut()) {
        *word = eeprom_word(bus, io, at)?;
    }
    Ok(Found { io, ..examine(&eeprom, ask)? })
}

impl<B: Bus> Probe<B> for El3Probe {
    type Device = El3<B, false>;
    const SPEED: u8 = 1;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        if ask.index >= CARDS {
            return Err(Fault::End);
        }
        if ask.index == 0 {
            // No reset if another copy of the driver has a card. That card has a tag: it does not take part here.
            wake(bus);
            if ask.taken.iter().all(|port| *port == 0) {
                bus.out8(ID_PORT, ID_GLOBAL_RESET);
                pause(bus, RESET_US);
                wake(bus);
            }
            bus.out8(ID_PORT, ID_SET_TAG);
        }
        let Some(eeprom) = contend(bus) else {
            return if ask.index == 0 { by_pnp(bus, ask) } else { Err(Fault::End) };
        };
        // Tags the card, so that the next call finds another one, whatever comes of this card.
        bus.out8(ID_PORT, ID_SET_TAG | ask.index + 1);
        let mut found = examine(&eeprom, ask)?;
        let code = word(&eeprom, ADDRESS) & BASE_CODE;
        if code == BASE_EISA {
            return Err(Fault::Resources);
        }
        found.io = 0x200 + (code << 4);
        if ask.io != 0 && ask.io != found.io {
            return Err(Fault::Nothing);
        }
        // Hardware that answers at these ports would answer together with the card. (A card of another copy of the driver
        // does not get here.)
        if bus.in16(found.io + COMMAND) != u16::MAX {
            return Err(Fault::Resources);
        }
        bus.out8(ID_PORT, ID_ACTIVATE);
        confirm(bus, found).inspect_err(|fault| {
            if *fault == Fault::Media {
                // Deactivates it again.
                bus.out16(found.io + COMMAND, GLOBAL_RESET);
                pause(bus, RESET_US);
            }
        })
    }

    fn start(bus: B, found: &Found, _rings: &Rings) -> Result<El3<B, false>, Fault> {
        let io = found.io;
        let command = |command: u16| bus.out16(io + COMMAND, command);
        let done = || bus.wait(COMMAND_LIMIT, || bus.in16(io + COMMAND) & BUSY == 0).map_err(|_| Fault::Dead);
        command(INTERRUPT_MASK);
        choose_media(&bus, found)?;
        command(SELECT_WINDOW);
        bus.out16(io + W0_RESOURCE, (found.irq as u16) << 12 | 0x0F00);
        bus.out16(io + W0_CONFIG, CONFIG_ENABLE);
        command(TX_RESET);
        done()?;
        command(RX_RESET);
        done()?;
        command(SELECT_WINDOW | 6);
        command(STATISTICS_OFF);
        for counter in 0..=W6_LAST {
            bus.in8(io + counter);
        }
        bus.in16(io + W6_BYTES_IN);
        bus.in16(io + W6_BYTES_OUT);
        command(SELECT_WINDOW | 1);
        command(TX_START | TX_AHEAD);
        command(RX_EARLY_AT | EARLY);
        command(STATUS_ENABLE | 0xFF);
        command(INTERRUPT_MASK);
        command(ACKNOWLEDGE | 0xFF);
        command(TX_ENABLE);
        let mut card = El3::new(bus, io);
        card.set_address(&found.mac);
        card.set_rcv_mode(RcvMode::Broadcast, &[]);
        Ok(card)
    }

    fn line(bus: &B, found: &Found, _device: &mut Self::Device) -> u8 {
        elink::line(bus, found)
    }
}
