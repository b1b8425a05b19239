//! Finds and starts Intel's gigabit controllers with several queues, of which the first is used: 82575, 82576, 82580, I350,
//! I354, I210, I211, and those for 2.5 Gb/s, I225 and I226 (datasheets of the 82576 and the I210, chapters 4, 7 and 8).
//!
//! Not done: a PHY of an I210 without flash memory may need several resets; SerDes and SGMII ports work if the firmware has
//! set them up.

use super::intel_rings::{self, Card, Eeprom};
use super::{Ask, Fault, Found, Probe, Rings, pci};
use crate::bus::Bus;
use crate::drivers::intel_rings::{Both, Gigabit, QUEUE_ENABLE, QUEUES, STATUS, TCTL, TCTL_ON, TXDCTL};

/// EEPROM control: the card has read its EEPROM after a reset.
const EECD: u16 = 0x0010;
const   EECD_READ: u32 = 1 << 9;
/// Extended control: the kind of link, 0: copper.
const CTRL_EXT: u16 = 0x0018;
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

    const IDS: &'static [u32] = &[
        0x10A7_8086, // 82575EB
        0x10A9_8086, // 82575EB SerDes
        0x10D6_8086, // 82575GB, four ports
        0x10C9_8086, // 82576
        0x10E6_8086, // 82576 fiber
        0x10E7_8086, // 82576 SerDes
        0x10E8_8086, // 82576, four ports
        0x150A_8086, // 82576NS
        0x150D_8086, // 82576 SerDes, four ports
        0x1518_8086, // 82576NS SerDes
        0x1526_8086, // 82576, four ports, ET2
        0x150E_8086, // 82580
        0x150F_8086, // 82580 fiber
        0x1510_8086, // 82580 SerDes
        0x1511_8086, // 82580 SGMII
        0x1516_8086, // 82580, two ports
        0x1527_8086, // 82580 fiber, four ports
        0x0438_8086, // DH89xxCC SGMII
        0x043A_8086, // DH89xxCC SerDes
        0x043C_8086, // DH89xxCC backplane
        0x0440_8086, // DH89xxCC SFP
        0x1521_8086, // I350
        0x1522_8086, // I350 fiber
        0x1523_8086, // I350 backplane
        0x1524_8086, // I350 SGMII
        0x1546_8086, // I350 DA4
        0x1F40_8086, // I354 backplane, 1 Gb/s
        0x1F41_8086, // I354 SGMII
        0x1F45_8086, // I354 backplane, 2.5 Gb/s
        0x1533_8086, // I210
        0x1536_8086, // I210 fiber
        0x1537_8086, // I210 backplane
        0x1538_8086, // I210 SGMII
        0x157B_8086, // I210 without flash memory
        0x157C_8086, // I210 backplane, without flash memory
        0x1539_8086, // I211
        0x15F2_8086, // I225-LM
        0x15F3_8086, // I225-V
        0x15F7_8086, // I220-V
        0x15F8_8086, // I225-I
        0x3100_8086, // I225-K
        0x3101_8086, // I225-K2
        0x0D9F_8086, // I225-IT
        0x5502_8086, // I225-LMvP
        0x125B_8086, // I226-LM
        0x125C_8086, // I226-V
        0x125D_8086, // I226-IT
        0x3102_8086, // I226-K
        0x5503_8086, // I226-LMvP
    ];

    fn find(bus: &B, ask: &Ask) -> Result<Found, Fault> {
        let mut found = intel_rings::find::<B, QUEUES>(bus, ask, <Self as Probe<B>>::IDS, |_| Eeprom::Wires)?;
        found.variant = part(pci::id(bus, ask.pci)) as u8;
        Ok(found)
    }

    fn start(bus: B, found: &Found, rings: &Rings) -> Result<Self::Device, Fault> {
        intel_rings::start(bus, found, rings)
    }

    fn line(bus: &B, found: &Found, device: &mut Self::Device) -> u8 {
        intel_rings::line(bus, found, device)
    }
}

/// Parts that are started in their own ways.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// 82575: no table of unicast addresses.
    First,
    /// 82576: no power control of the PHY.
    Second,
    /// 82580, I350, I354, I211.
    Third,
    /// I210: a reset does not restore the sizes of its buffers.
    I210,
    /// I225 and I226: the same, and another number for the PHY.
    I225,
}

/// The part with this identity.
fn part(id: u32) -> Part {
    match id >> 16 {
        0x10A7 | 0x10A9 | 0x10D6 => Part::First,
        0x10C9 | 0x10E6..=0x10E8 | 0x150A | 0x150D | 0x1518 | 0x1526 => Part::Second,
        0x1533 | 0x1536..=0x1538 | 0x157B | 0x157C => Part::I210,
        0x15F0..=0x15FF | 0x3100..=0x3102 | 0x0D9F | 0x5502 | 0x5503 | 0x1250..=0x125F => Part::I225,
        _ => Part::Third,
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
