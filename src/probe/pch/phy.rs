//! The PHY of PCH LAN, which firmware shares: ends what firmware or an operating system has left on that keeps its link down
//! or makes it slow, and the power saving in which parts lose frames.
//!
//! What depends on the link's speed is set for the speed at load; without a link, for gigabit.

use super::{Part, change, since};
use crate::bus::Bus;
use crate::drivers::intel_rings::{CTRL, CTRL_EXT, FWSM, STATUS, STATUS_LU};
use crate::probe::Found;
use crate::probe::intel_rings::{Card, EXTCNF_CTRL, EXTCNF_SOFTWARE, MDIC_READ, MDIC_WRITE, OWNER_LIMIT, TIPG, access_phy, wake};

/// In the device control: the driver switches the PHY's power, by the second bit.
const CTRL_POWER: u32 = 1 << 16;
const CTRL_POWER_ON: u32 = 1 << 17;
/// Resets the PHY.
const CTRL_PHY_RST: u32 = 1 << 31;
/// In the extended control: the PHY has its power again; the MAC talks to the PHY by SMBus.
const CTRL_EXT_POWERED: u32 = 1 << 2;
const CTRL_EXT_SMBUS: u32 = 1 << 11;
/// The MAC's side of the wires to the PHY: value in bits 15:0, register from bit 16 on, read in bit 21.
const KMRNCTRLSTA: u16 = 0x0034;
const   KMRN_READ: u32 = 1 << 21;
/// Register of it, and the bit of K1.
const   KMRN_K1: u32 = 7 << 16;
const   KMRN_K1_ON: u32 = 1 << 1;
/// Settings: SMBus stays with the PHY at a reset of the bus.
const FEXTNVM7: u16 = 0x00E4;
const   FEXTNVM7_SMBUS: u32 = 1 << 5;
/// Gap between frames, in bits 9:0: as usual; for half duplex at 10 Mb/s; for the I219 with full duplex below a gigabit.
const TIPG_GAP: u32 = 0x3FF;
const   TIPG_USUAL: u32 = 0x08;
const   TIPG_SLOW: u32 = 0xFF;
const   TIPG_I219: u32 = 0x0C;
/// In the status: full duplex; the speed.
const STATUS_FD: u32 = 1 << 0;
const STATUS_SPEED: u32 = 3 << 6;
/// Control of the PHY by the MAC: low power (10 Mb/s), no gigabit.
const PHY_CTRL: u16 = 0x0F10;
const   PHY_CTRL_SLOW: u32 = 1 << 1 | 1 << 6;
/// What is said to the management engine: PHY out of ultra low power, settings are to be kept.
const H2ME: u16 = 0x5B50;
const   H2ME_ULP: u32 = 1 << 11;
const   H2ME_SETTINGS: u32 = 1 << 12;
/// In [`FWSM`]: the PHY may be reset; it is in ultra low power; the management engine works.
const FWSM_MAY_RESET: u32 = 1 << 6;
const FWSM_ULP: u32 = 1 << 10;
const FWSM_ENGINE: u32 = 1 << 15;

// Numbers of the PHY: for pages below 768, and for the others. Register 31 of the latter selects the page, times 32.
const PHY: u32 = 2;
const PHY_PAGES: u32 = 1;
const PAGE: u32 = 31;
/// The PHY's identifier.
const ID: u32 = 2;
/// Page and register. Page 768, which is written as 0: low power (10 Mb/s), no gigabit; negotiate anew.
const OEM: (u32, u32) = (0, 25);
const   OEM_SLOW: u32 = 1 << 2 | 1 << 6;
const   OEM_RESTART: u32 = 1 << 10;
/// The PHY talks by SMBus.
const SMBUS: (u32, u32) = (769, 23);
const   SMBUS_ON: u32 = 1 << 0;
/// K1, a low power state of the wires to the PHY, in which an 82579 may lose frames.
const K1: (u32, u32) = (770, 17);
const   K1_ON: u32 = 1 << 14;
/// The link must not stall when it changes (82577, 82578): the value while it is up.
const STALL: (u32, u32) = (770, 19);
const   STALL_UP: u32 = 0x0100;
/// What the I219 keeps between pointers: at least 18h in bits 11:2 at a gigabit, one value at other speeds.
const GAP: (u32, u32) = (776, 20);
const   GAP_FIELD: u32 = 0x3FF << 2;
const   GAP_GIGABIT: u32 = 0x18 << 2;
const   GAP_OTHERS: u32 = 0xC023;
/// Ultra low power: its settings, and the bit that makes them valid.
const ULP: (u32, u32) = (779, 16);
const   ULP_SETTINGS: u32 = 0x1D74;
const   ULP_START: u32 = 1 << 0;

/// Waits of [`OWNER_LIMIT`] each: for the semaphore or the PHY's power, and for the engine to end ultra low power.
const WAITS: u8 = 5;
const ULP_WAITS: u8 = 15;
/// Limit in microseconds for a link that the PHY has to show in the MAC.
const LINK_LIMIT: u16 = 20_000;
/// Microseconds for which the PHY's power is off.
const OFF_TIME: u16 = 1_000;

/// Sets up the PHY.
pub fn set_up<B: Bus, const KIND: u8>(card: &Card<B, KIND>, found: &Found) {
    if since(found, Part::I218) && card.get(FWSM) & FWSM_ENGINE != 0 {
        // The engine takes the PHY out of ultra low power, in which it has no link.
        change(card, H2ME, H2ME_ULP, H2ME_SETTINGS);
        waits(card, ULP_WAITS, || card.get(FWSM) & FWSM_ULP == 0);
        change(card, H2ME, H2ME_SETTINGS, 0);
    }
    change(card, PHY_CTRL, PHY_CTRL_SLOW, 0);
    with_phy(card, || {
        if since(found, Part::I218) && !answers(card) && card.get(FWSM) & FWSM_MAY_RESET != 0 {
            end_ulp(card);
        }
        wake(card, PHY, false);
        change_phy(card, OEM, OEM_SLOW, 0, OEM_RESTART);
        if found.variant == Part::First as u8 {
            // Off at each speed. Linux has it on below a gigabit.
            card.put(KMRNCTRLSTA, KMRN_K1 | KMRN_READ);
            let _ = card.bus.wait(OFF_TIME, || false);
            card.put(KMRNCTRLSTA, KMRN_K1 | card.get(KMRNCTRLSTA) & 0xFFFF & !KMRN_K1_ON);
            set_phy(card, STALL, |_| STALL_UP);
        }
        if found.variant == Part::Second as u8 {
            change_phy(card, K1, K1_ON, 0, 0);
        }
        let _ = card.bus.wait(LINK_LIMIT, || card.get(STATUS) & STATUS_LU != 0);
        let status = card.get(STATUS);
        let (up, speed, full) = (status & STATUS_LU != 0, status & STATUS_SPEED, status & STATUS_FD != 0);
        let slower = up && speed >> 7 == 0;
        let mut between = TIPG_USUAL;
        if slower && speed == 0 && !full {
            between = TIPG_SLOW;
        }
        if since(found, Part::I219) {
            if slower && full {
                between = TIPG_I219;
            }
            set_phy(card, GAP, |value| match value & GAP_FIELD {
                _ if slower => GAP_OTHERS,
                GAP_GIGABIT.. => value,
                _ => value & !GAP_FIELD | GAP_GIGABIT,
            });
        }
        change(card, TIPG, TIPG_GAP, between);
    });
}

/// Whether the PHY answers.
fn answers<B: Bus, const KIND: u8>(card: &Card<B, KIND>) -> bool {
    access_phy(card, PHY, ID, MDIC_READ).is_some_and(|id| id != 0 && id != 0xFFFF)
}

/// Takes the PHY out of ultra low power without the management engine: switches its power off and on, lets it talk by the
/// usual wires, clears the settings of ultra low power and resets it.
#[inline(never)]
fn end_ulp<B: Bus, const KIND: u8>(card: &Card<B, KIND>) {
    change(card, CTRL, CTRL_POWER_ON, CTRL_POWER);
    let _ = card.bus.wait(OFF_TIME, || false);
    change(card, CTRL, CTRL_POWER, 0);
    waits(card, WAITS, || card.get(CTRL_EXT) & CTRL_EXT_POWERED != 0);
    rest(card);
    if !answers(card) {
        change(card, CTRL_EXT, 0, CTRL_EXT_SMBUS);
        rest(card);
    }
    change_phy(card, SMBUS, SMBUS_ON, 0, 0);
    change(card, CTRL_EXT, CTRL_EXT_SMBUS, 0);
    set_phy(card, K1, |value| value | K1_ON);
    set_phy(card, ULP, |value| value & !ULP_SETTINGS);
    set_phy(card, ULP, |value| value | ULP_START);
    change(card, FEXTNVM7, FEXTNVM7_SMBUS, 0);
    change(card, CTRL, 0, CTRL_PHY_RST);
    let _ = card.bus.wait(OFF_TIME, || false);
    change(card, CTRL, CTRL_PHY_RST, 0);
    rest(card);
}

/// 63 ms: Linux waits 30 ms for the PHY's power and 50 ms for SMBus and for a reset of the PHY.
fn rest<B: Bus, const KIND: u8>(card: &Card<B, KIND>) {
    (0..3).for_each(|_| card.pause());
}

/// Waits at most `count` times [`OWNER_LIMIT`]. Whether it is done.
fn waits<B: Bus, const KIND: u8>(card: &Card<B, KIND>, count: u8, done: impl Fn() -> bool) -> bool {
    (0..count).any(|_| card.bus.wait(OWNER_LIMIT, &done).is_ok())
}

/// Changes a register of the PHY, on one of its pages.
fn set_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, (page, register): (u32, u32), change: impl Fn(u32) -> u32) {
    access_phy(card, PHY_PAGES, PAGE, MDIC_WRITE | page << 5);
    if let Some(value) = access_phy(card, PHY_PAGES, register, MDIC_READ)
        && change(value) != value
    {
        access_phy(card, PHY_PAGES, register, MDIC_WRITE | change(value));
    }
}

/// Clears and sets bits in a register of the PHY; if one was to be cleared, sets `action` as well.
fn change_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, place: (u32, u32), clear: u32, set: u32, action: u32) {
    set_phy(card, place, |value| value & !clear | set | if value & clear != 0 { action } else { 0 });
}

/// Runs `action` with the PHY reserved for this driver. Does nothing if the firmware keeps it.
fn with_phy<B: Bus, const KIND: u8>(card: &Card<B, KIND>, action: impl FnOnce()) {
    let owned = || card.get(EXTCNF_CTRL) & EXTCNF_SOFTWARE != 0;
    if !waits(card, WAITS, || !owned()) {
        return;
    }
    change(card, EXTCNF_CTRL, 0, EXTCNF_SOFTWARE);
    if waits(card, WAITS, owned) {
        action();
    }
    change(card, EXTCNF_CTRL, EXTCNF_SOFTWARE, 0);
}
