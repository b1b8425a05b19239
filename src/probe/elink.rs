//! Shared by the probes of the 3C515, 3C59x and 3C90x: EEPROM, media, PHY. [`line`] is also for the 3C509.

use super::{Fault, Found, line, media};
use crate::bus::Bus;
use crate::device::MacAddr;
use crate::drivers::el3::*;
use crate::drivers::mii::*;

/// Window 0.
const W0_EEPROM: u16 = 0x0A;
const   EEPROM_READ: u16 = 2 << 6;
const   EEPROM_BUSY: u16 = 1 << 15;
const W0_EEPROM_DATA: u16 = 0x0C;
const EEPROM_LIMIT: u16 = 1_000;
/// Window 2: bits of the station address to ignore (six bytes).
const W2_MASK: u16 = 0x06;
/// Window 3.
const W3_CONFIG: u16 = 0x00; // 32 bits
const   CONFIG_TRANSCEIVER: u32 = 15 << 20;
const W3_MAC_CONTROL: u16 = 0x06;
const   MAC_FULL_DUPLEX: u16 = 1 << 5;
const W3_MEDIA: u16 = 0x08;
/// Window 4, [`MEDIA`].
const MEDIA_SQE: u16 = 1 << 3;

// Transceivers.
const TEN: u32 = 0;
const AUI: u32 = 1;
const BNC: u32 = 3;
const HUNDRED_TX: u32 = 4;
const HUNDRED_FX: u32 = 5;
const MII: u32 = 6;
const NWAY: u32 = 8;
const MII_OUTSIDE: u32 = 9;
/// The bits of [`W3_MEDIA`] of which one must be set for each transceiver. A PHY on the MII has twisted pair at both speeds.
const NEEDS: [u16; 7] = [1 << 3 | 1 << 6, 1 << 5, 0, 1 << 4, 1 << 1 | 1 << 6, 1 << 2, 1 << 6];
/// Transceivers that an autoselecting card tries, each with its bit of [`W3_MEDIA`].
const TRIED: [(u32, u16); 3] = [(HUNDRED_TX, 1 << 1), (HUNDRED_FX, 1 << 2), (TEN, 1 << 3)];
/// Transceivers that show no link: used when none of those has one.
const UNSEEN: [(u32, u16); 2] = [(BNC, 1 << 4), (AUI, 1 << 5)];

const START_COAX: u16 = 0x02 << 11;
/// Requests an interrupt: sets [`REQUESTED`].
const REQUEST: u16 = 0x0C << 11;
const STOP_COAX: u16 = 0x17 << 11;
const STATISTICS_OFF: u16 = 0x16 << 11;
const COAX_US: u16 = 1_000;
/// Limits for a medium to show its link and for a PHY to negotiate, in steps of 20 ms.
const LINK_STEPS: u8 = 60;
const NEGOTIATION_STEPS: u8 = 150;
const STEP_US: u16 = 20_000;
/// Limit of a reset, which may wait for the end of a transfer.
const RESET_LIMIT: u16 = 20_000;

/// Start and write opcode.
const MII_WRITE: u16 = 5;
/// Address of the PHY in the chip or on the board.
const OWN_PHY: u8 = 24;

/// [`super::Probe::line`].
pub fn line(bus: &impl Bus, found: &Found) -> u8 {
    let port = found.io + COMMAND;
    let provoke = || {
        bus.out16(port, INTERRUPT_MASK | REQUESTED);
        bus.out16(port, REQUEST);
    };
    let quiet = || {
        let status = bus.in16(port);
        bus.out16(port, INTERRUPT_MASK);
        bus.out16(port, ACKNOWLEDGE | INTERRUPT_LATCH | REQUESTED);
        // A card that has been removed reads as all ones, BUSY included.
        status & (BUSY | REQUESTED) == REQUESTED
    };
    line::check(bus, found.irq, provoke, quiet)
}

/// A card, by its ports.
pub struct Chip<'a, B> {
    /// The bus.
    pub bus: &'a B,
    /// Its first port.
    pub io: u16,
}

impl<B: Bus> Chip<'_, B> {
    /// Gives a command.
    pub fn command(&self, command: u16) {
        self.bus.out16(self.io + COMMAND, command);
    }

    /// Gives a command that takes some time, and waits for its end.
    pub fn command_wait(&self, command: u16) -> Result<(), Fault> {
        self.command(command);
        self.bus.wait(RESET_LIMIT, || self.bus.in16(self.io + COMMAND) & BUSY == 0).map_err(|_| Fault::Dead)
    }

    fn window(&self, window: u16) {
        self.command(SELECT_WINDOW | window);
    }

    fn pause(&self, us: u16) {
        // The wait always reaches its limit: it is used as a delay.
        let _ = self.bus.wait(us, || false);
    }

    /// Reads a word of the EEPROM, by window 0.
    fn eeprom_word(&self, at: u16) -> Result<u16, Fault> {
        self.bus.out16(self.io + W0_EEPROM, EEPROM_READ | at);
        self.bus.wait(EEPROM_LIMIT, || self.bus.in16(self.io + W0_EEPROM) & EEPROM_BUSY == 0).map_err(|_| Fault::Dead)?;
        Ok(self.bus.in16(self.io + W0_EEPROM_DATA))
    }

    /// Reads the EEPROM of a PCI card: address and [`variant`]. If `checked`, its checksum must be right.
    pub fn settings(&self, checked: bool) -> Result<(MacAddr, u8), Fault> {
        self.window(0);
        let mut sums = [0; EEPROM_WORDS as usize];
        let (mut sum, mut mac, mut kind) = (0, [0; 6], 0);
        for (at, so_far) in (0..).zip(sums.iter_mut()) {
            let word = self.eeprom_word(at)?;
            if let Some(pair) = mac.chunks_exact_mut(2).nth((at as usize).wrapping_sub(NODE)) {
                pair.copy_from_slice(&word.to_be_bytes());
            }
            if at == CONFIG_HIGH {
                kind = variant(word);
            }
            sum ^= word;
            *so_far = sum;
        }
        // The XOR of all bytes up to the checksum, which is in word 17h, or on a B in word 20h.
        let holds = |last: usize| sums.get(last).is_some_and(|sum| *sum >> 8 == *sum & 0xFF);
        if checked && !holds(0x17) && !holds(0x20) {
            return Err(Fault::Eeprom);
        }
        Ok((mac, kind))
    }

    /// Sets the registers that another driver may have left changed: nothing interrupts, nothing is counted, and all bits of
    /// the station address are compared.
    pub fn settle(&self) {
        self.command(INTERRUPT_MASK);
        self.command(STATISTICS_OFF);
        self.window(2);
        for offset in [0, 2, 4] {
            self.bus.out16(self.io + W2_MASK + offset, 0);
        }
        self.command(STATUS_ENABLE | 0x77F);
        self.command(ACKNOWLEDGE | 0x7FF);
    }

    /// Selects a transceiver.
    fn select(&self, transceiver: u32) {
        self.window(3);
        let config = self.bus.in32(self.io + W3_CONFIG);
        self.bus.out32(self.io + W3_CONFIG, config & !CONFIG_TRANSCEIVER | transceiver << 20);
        self.window(4);
        let media = self.bus.in16(self.io + MEDIA) & !(MEDIA_LINK_ENABLE | MEDIA_JABBER_ENABLE | MEDIA_SQE);
        let wanted = match transceiver {
            TEN => MEDIA_LINK_ENABLE | MEDIA_JABBER_ENABLE,
            HUNDRED_TX | HUNDRED_FX => MEDIA_LINK_ENABLE,
            AUI => MEDIA_SQE,
            _ => 0,
        };
        self.bus.out16(self.io + MEDIA, media | wanted);
        if transceiver == BNC {
            self.command(START_COAX);
            self.pause(COAX_US);
        } else {
            self.command(STOP_COAX);
        }
    }

    fn beats(&self, transceiver: u32) -> bool {
        self.select(transceiver);
        (0..LINK_STEPS).any(|_| {
            self.pause(STEP_US);
            self.bus.in16(self.io + MEDIA) & MEDIA_LINK_BEAT != 0
        })
    }

    /// Whether the board has the transceiver that `/MEDIA=` names.
    pub fn has(&self, asked: u8) -> bool {
        self.window(3);
        let there = self.bus.in16(self.io + W3_MEDIA);
        let number = (asked & !media::FULL).wrapping_sub(1);
        matches!(asked, 0 | media::AUTO) || NEEDS.get(number as usize).is_some_and(|bits| there & bits != 0)
    }

    fn full_duplex(&self, on: bool) {
        self.window(3);
        let control = self.bus.in16(self.io + W3_MAC_CONTROL) & !MAC_FULL_DUPLEX;
        self.bus.out16(self.io + W3_MAC_CONTROL, control | if on { MAC_FULL_DUPLEX } else { 0 });
    }

    /// Selects the transceiver that the user or else the EEPROM names, or the one with a link if the card shall choose. Duplex
    /// is the one that a PHY has negotiated. Returns the PHY's address, or [`NO_PHY`].
    pub fn choose_media(&self, found: &Found) -> u8 {
        let own = (found.variant & VARIANT_TRANSCEIVER) as u32;
        let full = found.media & media::FULL != 0;
        let asked = match found.media & !media::FULL {
            0 => own,
            media::AUTO => NWAY,
            number => number as u32 - 1,
        };
        if matches!(own, MII | NWAY | MII_OUTSIDE) && matches!(asked, TEN | HUNDRED_TX | MII | NWAY | MII_OUTSIDE) {
            self.select(own);
            let phy = self.find_phy();
            let full = match asked {
                _ if phy == NO_PHY => false,
                TEN | HUNDRED_TX => {
                    let speed = if asked == TEN { 0 } else { BMCR_100 };
                    self.mii_write(phy, BMCR, speed | if full { BMCR_FULL } else { 0 });
                    full
                }
                _ => self.negotiate(phy),
            };
            self.full_duplex(full);
            return phy;
        }
        self.window(3);
        let there = self.bus.in16(self.io + W3_MEDIA);
        let fitted = |(_, bit): &&(u32, u16)| there & bit != 0;
        self.full_duplex(full);
        let (mut chosen, named) = (asked, if asked == NWAY { own } else { asked });
        if asked == NWAY || found.media == 0 && found.variant & VARIANT_AUTOSELECT != 0 {
            let seen = TRIED.iter().filter(fitted).find(|(transceiver, _)| self.beats(*transceiver));
            chosen = seen.or_else(|| UNSEEN.iter().find(fitted)).map_or(named, |(transceiver, _)| *transceiver);
        }
        self.select(chosen);
        NO_PHY
    }

    #[inline(never)]
    fn mii(&self) -> Mii<'_, B> {
        self.window(4);
        Mii { bus: self.bus, port: self.io + PHYSICAL }
    }

    fn find_phy(&self) -> u8 {
        let mii = self.mii();
        let answers = |phy: &u8| !matches!(mii.read(*phy, BMSR), 0 | u16::MAX);
        core::iter::once(OWN_PHY).chain(0..32).find(answers).unwrap_or(NO_PHY)
    }

    fn mii_write(&self, phy: u8, register: u8, value: u16) {
        let mii = self.mii();
        mii.preamble();
        mii.send(MII_WRITE << 12 | (phy as u16) << 7 | (register as u16) << 2 | 2, 16);
        mii.send(value, 16);
    }

    /// Negotiates; returns whether both sides have full duplex. Without an answer the PHY offers only half duplex from then
    /// on: the driver would not notice a later negotiation.
    fn negotiate(&self, phy: u8) -> bool {
        let mii = self.mii();
        let control = mii.read(phy, BMCR);
        if control & (BMCR_OFF | BMCR_NEGOTIATE) != BMCR_NEGOTIATE {
            self.mii_write(phy, BMCR, BMCR_NEGOTIATE | BMCR_RESTART);
        }
        let complete = (0..NEGOTIATION_STEPS).any(|step| {
            if step != 0 {
                self.pause(STEP_US);
            }
            mii.read(phy, BMSR) & (BMSR_COMPLETE | BMSR_LINK) == BMSR_COMPLETE | BMSR_LINK
        });
        let offered = mii.read(phy, ANAR);
        if !complete {
            self.mii_write(phy, ANAR, offered & !(ABILITY_100_FULL | ABILITY_10_FULL));
            self.mii_write(phy, BMCR, BMCR_NEGOTIATE | BMCR_RESTART);
            return false;
        }
        let common = offered & mii.read(phy, ANLPAR);
        common & ABILITY_100_FULL != 0 || common & (ABILITY_100 | ABILITY_10_FULL) == ABILITY_10_FULL
    }
}

/// [`Found::variant`]: from the upper word of the internal configuration, the transceiver, and whether the card shall choose.
pub fn variant(word: u16) -> u8 {
    (word >> 4) as u8 & (VARIANT_TRANSCEIVER | VARIANT_AUTOSELECT)
}

const VARIANT_TRANSCEIVER: u8 = 0xF;
const VARIANT_AUTOSELECT: u8 = 1 << 4;

/// Instead of a PHY's address: there is no PHY.
pub const NO_PHY: u8 = u8::MAX;

/// The word of the EEPROM for [`variant`].
pub const CONFIG_HIGH: u16 = 0x13;
/// Words of the EEPROM that are read.
const EEPROM_WORDS: u16 = 0x21;
/// The word of the EEPROM where the address begins that the maker gave the board.
const NODE: usize = 0x0A;
