//! Finds and starts the gigabit controllers in Intel's chipsets (PCH LAN): 82577, 82578, 82579, I217, I218, I219.
//!
//! The management engine shares registers, PHY and address filters with the driver. Only the MAC is reset; the PHY is left
//! alone, but for what an operating system may have left on that makes the link slow or keeps it down.
//! `phy.rs` has the PHY, `chips.rs` the identities.

pub mod chips;
mod phy;

use super::intel_rings::{self, Card, Eeprom, RFCTL, TXDCTL_EXPRESS};
use super::{Ask, Fault, Found, Probe, Rings, pci};
use crate::bus::Bus;
use crate::drivers::intel_rings::{
    Both, CTRL, CTRL_EXT, CTRL_EXT_DRIVER, FEXTNVM11, FEXTNVM11_ONE, Gigabit, PCH, RCTL, RCTL_EN, TCTL, TXDCTL,
};
use chips::Part;

/// When receive descriptors are fetched: thresholds by which an I219 lets go of those that it holds.
const RXDCTL: u16 = 0x2828;
const   RXDCTL_FLUSH: u32 = 1 << 24 | 1 << 8 | 0x1F;
/// Stop if an uncorrected error is in the memory of the MAC (I217 and later).
const CTRL_MEMORY_ERRORS: u32 = 1 << 19;
/// Speed from the PHY's signals, which only the oldest cards need.
const CTRL_ASDE: u32 = 1 << 5;
/// In the extended control: a bit that must be 1, and no relaxed ordering on the bus.
const CTRL_EXT_ONE: u32 = 1 << 22;
const CTRL_EXT_STRICT: u32 = 1 << 17;
/// Settings. Before a reset, how long the PHY's configuration may take: 2, 50 ms (82579).
const FEXTNVM3: u16 = 0x003C;
const   FEXTNVM3_COUNTER: u32 = 3 << 26;
const   FEXTNVM3_50_MS: u32 = 2 << 26;
/// Duration of a beacon: 7, 8 microseconds. Otherwise frames are lost at 10 and 100 Mb/s (I217 and later).
const FEXTNVM4: u16 = 0x0024;
const   FEXTNVM4_8_US: u32 = 7;
/// Clock request of the PHY's PLL in K1 (I218).
const FEXTNVM6: u16 = 0x0010;
const   FEXTNVM6_PLL: u32 = 1 << 8;
/// Correction of errors in the memory for received frames (I217 and later).
const PBECCSTS: u16 = 0x100C;
const   PBECCSTS_ON: u32 = 1 << 16;
/// Pacing of the wires to the PHY.
const KABGTXD: u16 = 0x3004;
const   KABGTXD_BITS: u32 = 5 << 16;
// Second transmit queue's control; arbitration of both queues: bits that the family must have set.
const TXDCTL1: u16 = 0x3928;
const TARC0: u16 = 0x3840;
const   TARC0_BITS: u32 = 1 << 23 | 1 << 24 | 1 << 26 | 1 << 27;
/// How many requests are outstanding. More than two corrupt data or hang the I219.
const   TARC0_REQUESTS: u32 = 3 << 28;
const   TARC0_TWO: u32 = 2 << 28;
const TARC1: u16 = 0x3940;
const   TARC1_BITS: u32 = 1 << 24 | 1 << 26 | 1 << 28 | 1 << 30;
/// Interface to the chipset's fabric (I219).
const IOSFPC: u16 = 0x0F28;
const   IOSFPC_BIT: u32 = 1 << 16;
/// No parsing of NFS: it corrupts descriptors.
const RFCTL_NO_NFS: u32 = 1 << 6 | 1 << 7;
/// Transmit descriptors: bytes.
const TDLEN: u16 = 0x3808;
const CRC_OFFSET: u16 = 0x5F50;
const   CRC_OFFSET_VALUE: u32 = 0x6565_6565;
/// Clock gating (500 series and later).
const DPGFR: u16 = 0x5F04;
const   DPGFR_BIT: u32 = 1 << 12;
/// Configuration register of the I219: bit 8 tells that the part holds descriptors.
const HELD: u8 = 0xE4;
const   HELD_BIT: u32 = 1 << 8;

/// The probe of these cards.
pub struct PchProbe;

impl<B: Bus> Probe<B> for PchProbe {
    type Device = Gigabit<B, Both, PCH>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &chips::IDS;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let mut found = intel_rings::find::<B, PCH>(bus, ask, <Self as Probe<B>>::IDS, |_| Eeprom::Wires)?;
        let (part, name) = chips::part_and_name(pci::id(bus, ask.pci));
        // The arbiter may lose the write that selects a register, and so the read that tells when it does not.
        if part == Part::Second && bus.confined() {
            return Err(Fault::V86);
        }
        (found.variant, found.chip) = (part as u8, name);
        Ok(found)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        intel_rings::start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        intel_rings::line(bus, found, device)
    }
}

fn since(found: &Found, part: Part) -> bool {
    found.variant >= part as u8
}

fn change<B: Bus, const KIND: u8>(card: &Card<B, KIND>, register: u16, clear: u32, set: u32) {
    card.put(register, card.get(register) & !clear | set);
}

/// Before the reset: an I219 gives back the descriptors that it holds, or the reset may hang it. Their memory may belong to
/// somebody else by now, so that it gets this driver's rings first.
pub fn before_reset<B: Bus, const KIND: u8>(card: &mut Card<B, KIND>, found: &Found, rings: &Rings) -> Result<(), Fault> {
    if found.variant == Part::Second as u8 {
        change(card, FEXTNVM3, FEXTNVM3_COUNTER, FEXTNVM3_50_MS);
    }
    if since(found, Part::I219) {
        change(card, FEXTNVM11, 0, FEXTNVM11_ONE);
        if card.bus.config_read(found.pci, HELD) & HELD_BIT != 0 && card.get(TDLEN) != 0 {
            card.put(RCTL, 0);
            card.put(TCTL, 0);
            intel_rings::lay_out(card, rings);
            pci::enable(&card.bus, found.pci, true)?;
            card.flush();
            // The receiver lets go by other thresholds, when it is switched off.
            card.put(RXDCTL, RXDCTL_FLUSH);
            card.put(RCTL, RCTL_EN as u32);
            card.pause();
        }
    }
    Ok(())
}

/// After the reset: PHY, and what the parts need that their reset does not set.
pub fn after_reset<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) {
    change(card, CTRL, CTRL_ASDE, 0);
    change(card, CTRL_EXT, 0, CTRL_EXT_ONE | CTRL_EXT_DRIVER);
    card.put(CRC_OFFSET, CRC_OFFSET_VALUE);
    change(card, KABGTXD, 0, KABGTXD_BITS);
    for register in [TXDCTL, TXDCTL1] {
        card.put(register, TXDCTL_EXPRESS);
    }
    change(card, TARC0, 0, TARC0_BITS);
    change(card, TARC1, 0, TARC1_BITS);
    card.put(RFCTL, RFCTL_NO_NFS);
    if since(found, Part::I217) {
        change(card, PBECCSTS, 0, PBECCSTS_ON);
        change(card, CTRL, 0, CTRL_MEMORY_ERRORS);
        change(card, FEXTNVM4, FEXTNVM4_8_US, FEXTNVM4_8_US);
    }
    if found.variant == Part::I218 as u8 {
        change(card, FEXTNVM6, 0, FEXTNVM6_PLL);
    }
    if since(found, Part::I219) {
        change(card, FEXTNVM11, 0, FEXTNVM11_ONE);
        change(card, IOSFPC, 0, IOSFPC_BIT);
        change(card, TARC0, TARC0_REQUESTS, TARC0_TWO);
        change(card, CTRL_EXT, 0, CTRL_EXT_STRICT);
    }
    if since(found, Part::Late) {
        change(card, DPGFR, 0, DPGFR_BIT);
    }
    phy::set_up(card, found);
}
