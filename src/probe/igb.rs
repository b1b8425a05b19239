//! Finds and starts Intel's gigabit controllers with several queues, of which the first is used: 82575, 82576, 82580, I350,
//! I354, I210, I211, and those for 2.5 Gb/s, I225 and I226 (datasheets of the 82576 and the I210, chapters 4, 7 and 8).
//!
//! Not done: a PHY of an I210 without flash memory may need several resets; SerDes and SGMII ports work if the firmware has
//! set them up.

pub mod chips;

use super::intel_rings::{self, Card, Eeprom};
use super::{Ask, Fault, Found, Probe, Rings, pci};
use crate::bus::Bus;
use crate::drivers::intel_rings::{Both, CTRL_EXT, Gigabit, QUEUE_ENABLE, QUEUES, STATUS, TCTL, TCTL_ON, TXDCTL};
use chips::Part;

/// EEPROM control: the card has read its EEPROM after a reset.
const EECD: u16 = 0x0010;
const   EECD_READ: u32 = 1 << 9;
/// In the extended control: the kind of link, 0: copper.
const   CTRL_EXT_LINK: u32 = 3 << 22;
/// Power of the PHY (82580 and later): bit 5 keeps the link down.
const PHPM: u16 = 0x0E14;
const   PHPM_DISCONNECT: u32 = 1 << 5;
/// How causes become interrupts: 0 for INTx.
const GPIE: u16 = 0x1514;
// Causes by queues: mask clear, clear by themselves, mask by themselves.
const EIMC: u16 = 0x1528;
const EIAC: u16 = 0x152C;
const EIAM: u16 = 0x1530;
/// Interrupt throttling of the first vector, which is that of INTx.
const EITR0: u16 = 0x1680;
/// The card's buffers for received and sent frames. A reset does not restore them on some cards.
const RXPBS: u16 = 0x2404;
const TXPBS: u16 = 0x3404;
const   RXPBS_DEFAULT: u32 = 0xA2;
const   TXPBS_DEFAULT: u32 = 0x0400_0014;
/// Form of the first queue's receive descriptors, and kilobytes of a buffer. The card receives no frame of more than 1522
/// bytes, so that ours are smaller.
const SRRCTL: u16 = 0x280C;
const   SRRCTL_ADVANCED: u32 = 1 << 25 | 2;
/// When the first queue's receive descriptors are fetched and written back.
const RXDCTL: u16 = 0x2828;
/// Checksums over received data.
const RXCSUM: u16 = 0x5000;
/// Receive filters: no parsing of IPv6 extension headers (82575 to I350, an erratum).
const RFCTL: u16 = 0x5008;
const   RFCTL_IPV6_EX_DIS: u32 = 1 << 16;
/// Queues by hashes.
const MRQC: u16 = 0x5818;
/// Queues by virtual machines.
const VT_CTL: u16 = 0x581C;
/// Semaphores between drivers and firmware: the first must read as 0, the second must stay set. They guard SW_FW_SYNC.
const SWSM: u16 = 0x5B50;
const   SWSM_SMBI: u32 = 1 << 0;
const   SWSM_SWESMBI: u32 = 1 << 1;
/// What drivers (low half) and firmware (high half) have in use.
const SW_FW_SYNC: u16 = 0x5B5C;
/// The PHY of function 0 to 3.
const   SYNC_PHY: [u32; 4] = [1 << 1, 1 << 2, 1 << 5, 1 << 6];
/// Table of unicast addresses (82576 and later), 128 double words.
const UTA: u16 = 0xA000;

/// Limit in microseconds for the card to read its EEPROM.
const READ_LIMIT: u16 = 20_000;
/// Limit in microseconds for the firmware to release the PHY, so many times.
const OWNER_LIMIT: u16 = 20_000;
const OWNER_WAITS: u8 = 5;

/// The probe of these cards.
pub struct IgbProbe;

impl<B: Bus> Probe<B> for IgbProbe {
    type Device = Gigabit<B, Both, QUEUES>;
    const SPEED: u8 = 100;

    const IDS: &'static [u32] = &chips::IDS;

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let mut found = intel_rings::find::<B, QUEUES>(bus, ask, <Self as Probe<B>>::IDS, |_| Eeprom::Wires)?;
        let (part, name) = chips::part_and_name(pci::id(bus, ask.pci));
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

fn is(found: &Found, part: Part) -> bool {
    found.variant == part as u8
}

/// Before the reset: restores what it leaves.
pub fn before_reset<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) {
    if is(found, Part::I210) || is(found, Part::I225) {
        card.put(RXPBS, RXPBS_DEFAULT);
        card.put(TXPBS, TXPBS_DEFAULT);
    }
}

/// After the reset: interrupts by INTx, one queue, no filter but the addresses.
pub fn after_reset<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) {
    // Without an EEPROM the bit may stay clear; the card works with what it has.
    let _ = card.bus.wait(READ_LIMIT, || card.get(EECD) & EECD_READ != 0);
    card.put(EIMC, !0);
    // The addresses of rings may be written only while the queues rest. On the 82575 the first one works after a reset.
    card.set_queue(RXDCTL, 0);
    card.set_queue(TXDCTL, 0);
    for register in [GPIE, EIAC, EIAM, EITR0, RXCSUM, MRQC, VT_CTL] {
        card.put(register, 0);
    }
    card.put(TCTL, TCTL_ON);
    card.put(RFCTL, RFCTL_IPV6_EX_DIS);
    card.put(SRRCTL, SRRCTL_ADVANCED);
    if !is(found, Part::First) {
        for index in 0..128 {
            card.put(UTA + index * 4, 0);
        }
        if !is(found, Part::Second) {
            card.put(PHPM, card.get(PHPM) & !PHPM_DISCONNECT);
        }
    }
}

/// The number of the PHY; none: the port has none that can be asked.
pub fn phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) -> Option<u32> {
    let copper = card.get(CTRL_EXT) & CTRL_EXT_LINK == 0;
    copper.then(|| if is(found, Part::I225) { 0 } else { 1 })
}

/// Runs `action` with the PHY reserved for this driver, which the firmware uses as well. Does nothing if the firmware keeps it.
pub fn with_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, action: impl FnOnce()) {
    let own = SYNC_PHY[(card.get(STATUS) >> 2 & 3) as usize];
    let free = |users: u32| users & (own | own << 16) == 0;
    if change_users(card, |users| free(users).then_some(users | own)) {
        action();
        change_users(card, |users| Some(users & !own));
    }
}

/// Changes SW_FW_SYNC under its semaphores, as soon as `change` gives a new value for it. Whether that was within the limit.
fn change_users<B: Bus, const KIND: u8>(card: &Card<B, KIND>, change: impl Fn(u32) -> Option<u32>) -> bool {
    let try_once = || {
        // Reading sets the first semaphore.
        if card.get(SWSM) & SWSM_SMBI != 0 {
            return false;
        }
        card.put(SWSM, SWSM_SMBI | SWSM_SWESMBI);
        let owned = card.get(SWSM) & SWSM_SWESMBI != 0;
        let users = if owned { change(card.get(SW_FW_SYNC)) } else { None };
        if let Some(users) = users {
            card.put(SW_FW_SYNC, users);
        }
        card.put(SWSM, 0);
        users.is_some()
    };
    (0..OWNER_WAITS).any(|_| card.bus.wait(OWNER_LIMIT, try_once).is_ok())
}

/// Starts the receiver's queue: after the receiver, because some cards wait for that. Whether it works.
pub fn start_queue<B: Bus, const KIND: u8>(card: &Card<B, KIND>) -> bool {
    card.set_queue(RXDCTL, QUEUE_ENABLE);
    card.get(RXDCTL) & QUEUE_ENABLE != 0
}
