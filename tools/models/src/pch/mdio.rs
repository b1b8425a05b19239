//! MDIC, by which the driver reaches the PHY, and KMRNCTRLSTA, by which it reaches the MAC's side of the link to the PHY.

use super::phy::Silent;
use super::{Pch, cause};
use crate::Env;
use crate::faults::Kind;
use std::collections::BTreeMap;

/// Nanoseconds of a transaction: 64 bits at 2.5 MHz.
const TRANSACTION: u64 = 26_000;
/// Of the pause that the 82579 needs behind one.
const PAUSE: u64 = 90_000;

/// Bits of MDIC.
mod bit {
    pub const WRITE: u32 = 1 << 26;
    pub const READ: u32 = 1 << 27;
    pub const READY: u32 = 1 << 28;
    pub const INTERRUPT: u32 = 1 << 29;
    pub const ERROR: u32 = 1 << 30;
}

/// The register of the link's configuration that holds K1, and its bit.
const K1: (u32, u16) = (7, 1 << 1);

/// Both windows.
#[derive(Clone, Debug, Default)]
pub struct Mdio {
    value: u32,
    until: u64,
    /// An interrupt is wanted at the end.
    interrupt: Option<u64>,
    link: BTreeMap<u32, u16>,
    link_value: u32,
}

impl Mdio {
    /// As after a reset, with K1 on if the flash allows it.
    pub fn new(k1: bool) -> Mdio {
        Mdio { value: bit::READY, link: BTreeMap::from([(K1.0, if k1 { K1.1 } else { 0 })]), ..Mdio::default() }
    }

    /// MDIC.
    pub fn read(&self, now: u64) -> u32 {
        if now < self.until { self.value & !bit::READY } else { self.value }
    }

    /// KMRNCTRLSTA.
    pub fn link(&self) -> u32 {
        self.link_value
    }

    /// K1 is on, on the MAC's side.
    pub fn k1(&self) -> bool {
        self.link.get(&K1.0).is_some_and(|word| word & K1.1 != 0)
    }

    /// When it has an interrupt to raise.
    pub fn event_at(&self) -> Option<u64> {
        self.interrupt
    }
}

impl Pch {
    /// MDIC is written.
    pub(super) fn access_phy(&mut self, env: &mut dyn Env, value: u32) {
        let now = env.now_ns();
        if !self.me.owned() {
            env.complain(&format!("MDIC {value:08X} without the semaphore"));
        }
        let pause = if self.phy.needs_pause() && self.mdio.until != 0 { PAUSE } else { 0 };
        if now < self.mdio.until.saturating_add(pause) {
            let what = if now < self.mdio.until { "while the last transaction is in progress" } else { "less than 100 us after the last transaction" };
            env.complain(&format!("MDIC {value:08X} {what}"));
        }
        let (register, address, smbus) = ((value >> 16 & 0x1F) as u16, (value >> 21 & 0x1F) as u16, self.by_smbus());
        let mut result = value & 0x07FF_FFFF & !bit::INTERRUPT;
        let answer = match value & (bit::READ | bit::WRITE) {
            bit::READ => self.phy.read(address, register, smbus, now).map(|word| result = result & 0xFFFF_0000 | word as u32 | bit::READ),
            bit::WRITE => self.phy.write(address, register, value as u16, smbus, now).map(|down| {
                if down {
                    self.link_changed(env);
                }
            }),
            _ => {
                env.complain(&format!("MDIC {value:08X}: neither a read nor a write"));
                Ok(())
            }
        };
        match answer {
            Ok(()) => {}
            Err(Silent::Unreachable) => result |= 0xFFFF | bit::ERROR,
            Err(silent) => {
                let what = if silent == Silent::Resetting { "while the PHY resets" } else { "for a page or address that the PHY does not have" };
                env.complain(&format!("MDIC {value:08X} {what}"));
                result |= 0xFFFF | bit::ERROR;
            }
        }
        self.mdio.value = result | bit::READY;
        self.mdio.until = if self.faults.strikes(Kind::StuckPhy) { u64::MAX } else { now + TRANSACTION };
        self.mdio.interrupt = (value & bit::INTERRUPT != 0).then_some(self.mdio.until).filter(|at| *at != u64::MAX);
    }

    /// Ends a transaction that shall raise an interrupt.
    pub(super) fn phy_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if self.mdio.interrupt.take_if(|at| *at <= now).is_some() {
            self.raise(env, cause::MDIO);
        }
    }

    /// KMRNCTRLSTA is written.
    pub(super) fn access_link(&mut self, env: &mut dyn Env, value: u32) {
        if !self.me.owned() {
            env.complain(&format!("KMRNCTRLSTA {value:08X} without the semaphore"));
        }
        let at = value >> 16 & 0x1F;
        if value & 1 << 21 != 0 {
            let word = self.mdio.link.get(&at).copied().unwrap_or(0);
            self.mdio.link_value = value & 0xFFFF_0000 | word as u32;
        } else {
            self.mdio.link.insert(at, value as u16);
            self.mdio.link_value = value;
        }
    }
}
