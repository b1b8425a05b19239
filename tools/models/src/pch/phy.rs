//! The PHY beside the chipset: standard registers, pages, a negotiation that takes its time, and ultra low power (ULP).
//!
//! At address 2 it has the standard registers; at address 1 pages of registers 16 to 30, which register 31 selects (page * 32).
//! Pages hold what was written; only what changes link, speed or answers has a meaning.

use super::part::{Generation, Part};
use std::collections::BTreeMap;

/// Nanoseconds for which the PHY does not answer after a reset.
const RESET: u64 = 5_000_000;
/// Register 31 at address 1: the page.
const PAGE: u16 = 31;
/// The page of the registers for waking up, which are reached by an address (11h) and a data register (12h).
const WAKE: u16 = 800;
/// Pages that the parts have; page 768 is 0 to the page register, too.
const PAGES: [u16; 8] = [0, 768, 769, 770, 772, 776, 778, WAKE];
/// The page for ULP.
const LOW: u16 = 779;

/// Page and register.
mod register {
    /// What the platform's maker has set: speeds.
    pub const OEM: (u16, u16) = (0, 25);
    /// Bit 2: the page for waking up may be accessed.
    pub const WAKE_ENABLE: (u16, u16) = (769, 17);
    /// Bit 0: the PHY talks to the MAC by SMBus.
    pub const SMBUS: (u16, u16) = (769, 23);
    /// Bit 14: K1 is on.
    pub const POWER: (u16, u16) = (770, 17);
    /// The settings of ULP.
    pub const ULP: (u16, u16) = (super::LOW, 16);
}

/// Bits of the OEM register.
mod oem {
    pub const LOW_POWER: u16 = 1 << 2;
    pub const NO_GIGABIT: u16 = 1 << 6;
    pub const RESTART: u16 = 1 << 10;
}

/// Bits of the settings of ULP.
mod ulp {
    pub const START: u16 = 1;
    pub const STICKY: u16 = 1 << 4;
    pub const LEAVE_IN_BAND: u16 = 1 << 5;
    pub const RESET_TO_SMBUS: u16 = 1 << 8;
}

/// The reason for which an access has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// It is in ULP, without power, or it listens to the other kind of link.
    Unreachable,
    /// There is no such page or address.
    Nothing,
    /// It has been reset just now.
    Resetting,
}

/// The PHY.
#[derive(Clone, Debug)]
pub struct Phy {
    part: Part,
    /// Nanoseconds of a negotiation.
    negotiation: u64,
    control: u16,
    advertise: u16,
    advertise_1000: u16,
    page: u16,
    others: BTreeMap<(u16, u16), u16>,
    extended: BTreeMap<u16, u16>,
    wake: BTreeMap<u16, u16>,
    cable: bool,
    up: bool,
    /// When the negotiation ends.
    up_at: Option<u64>,
    /// The link was lost since the last read of the status.
    lost: bool,
    resetting: u64,
    /// It is in ULP.
    asleep: bool,
    /// It has power.
    powered: bool,
}

impl Phy {
    /// A PHY that begins to negotiate at this time, unless it is in ULP.
    pub fn new(part: Part, negotiation: u64, asleep: bool, now: u64) -> Phy {
        let mut phy = Phy {
            part,
            negotiation,
            control: 0,
            advertise: 0,
            advertise_1000: 0,
            page: 0,
            others: BTreeMap::new(),
            extended: BTreeMap::new(),
            wake: BTreeMap::new(),
            cable: true,
            up: false,
            up_at: None,
            lost: true,
            resetting: 0,
            asleep,
            powered: true,
        };
        phy.defaults();
        if asleep {
            phy.others.insert(register::ULP, ulp::STICKY | ulp::RESET_TO_SMBUS);
        }
        phy.restart(now);
        phy
    }

    /// Back to what a reset leaves; ULP's settings stay.
    fn defaults(&mut self) {
        (self.control, self.advertise, self.advertise_1000, self.page) = (0x1140, 0x0DE1, 0x0200, 0);
        let settings = self.setting(register::ULP);
        self.others = BTreeMap::from([(register::ULP, settings), (register::POWER, 0x4000), ((776, 20), 0x0020), ((2, 22), 0x0010)]);
        (self.extended, self.wake) = (BTreeMap::new(), BTreeMap::new());
    }

    fn setting(&self, at: (u16, u16)) -> u16 {
        self.others.get(&at).copied().unwrap_or(0)
    }

    /// The link is up.
    pub fn link(&self) -> bool {
        self.up
    }

    /// The cable is plugged in.
    pub fn cable(&self) -> bool {
        self.cable
    }

    /// It is in ULP.
    pub fn asleep(&self) -> bool {
        self.asleep
    }

    /// Its speed in Mb/s, by what both sides offer and the OEM register allows; the partner offers all.
    pub fn speed(&self) -> u16 {
        let allowed = self.setting(register::OEM);
        if self.control & 0x1000 == 0 {
            return match self.control & 0x2040 {
                0x0040 => 1000,
                0x2000 => 100,
                _ => 10,
            };
        }
        if allowed & oem::LOW_POWER != 0 && self.advertise & 0x60 != 0 {
            10
        } else if allowed & oem::NO_GIGABIT == 0 && self.advertise_1000 & 0x0300 != 0 {
            1000
        } else if self.advertise & 0x0180 != 0 {
            100
        } else {
            10
        }
    }

    /// The earlier owner left it limited to 10 Mb/s.
    pub fn slow_down(&mut self) {
        self.others.insert(register::OEM, oem::LOW_POWER | oem::NO_GIGABIT);
    }

    /// When the link comes up.
    pub fn wake_at(&self) -> Option<u64> {
        self.up_at
    }

    /// Ends a negotiation that is due. True: the link came up.
    pub fn advance(&mut self, now: u64) -> bool {
        if self.up_at.is_none_or(|at| at > now) {
            return false;
        }
        self.up_at = None;
        self.up = true;
        true
    }

    /// Plugs the cable in or out. True: the link went down.
    pub fn set_cable(&mut self, plugged: bool, now: u64) -> bool {
        self.cable = plugged;
        if plugged && self.asleep && self.setting(register::ULP) & ulp::LEAVE_IN_BAND != 0 {
            self.leave_low_power(now);
        }
        self.restart(now)
    }

    /// Drops the link and begins again. True: the link went down.
    fn restart(&mut self, now: u64) -> bool {
        let off = self.asleep || !self.powered || self.control & 0x0C00 != 0 || self.setting(register::SMBUS) & 1 != 0;
        let held = self.setting(register::ULP) & ulp::STICKY != 0;
        self.up_at = (self.cable && !off && !held).then_some(now + self.negotiation);
        self.lost |= self.up;
        std::mem::take(&mut self.up)
    }

    /// The reset line. True: the link went down.
    pub fn reset(&mut self, now: u64, oem_bits: u16) -> bool {
        if self.asleep || !self.powered {
            return false;
        }
        let smbus = self.setting(register::SMBUS);
        self.defaults();
        self.others.insert(register::SMBUS, smbus);
        self.others.insert(register::OEM, oem_bits);
        self.resetting = now + RESET;
        self.restart(now)
    }

    /// Its power goes (false) or comes. After that it is out of ULP as far as the link to the MAC is concerned, which is by SMBus if
    /// ULP was to last. True: the link went down.
    pub fn power(&mut self, on: bool, now: u64) -> bool {
        self.powered = on;
        if on {
            self.asleep = false;
            self.defaults();
            let smbus = self.setting(register::ULP) & ulp::RESET_TO_SMBUS != 0;
            self.others.insert(register::SMBUS, smbus as u16);
            self.resetting = now + RESET;
        }
        self.restart(now)
    }

    /// Enters ULP. True: the link went down.
    pub fn enter_low_power(&mut self, now: u64) -> bool {
        self.asleep = true;
        self.restart(now)
    }

    /// Leaves ULP.
    pub fn leave_low_power(&mut self, now: u64) {
        self.asleep = false;
        self.others.insert(register::ULP, 0);
        self.others.insert(register::SMBUS, 0);
        self.restart(now);
    }

    /// The page and register behind an address.
    fn place(&self, address: u16, register: u16, smbus: bool, now: u64) -> Result<(u16, u16), Silent> {
        if self.asleep || !self.powered || smbus != (self.setting(register::SMBUS) & 1 != 0) {
            return Err(Silent::Unreachable);
        }
        if now < self.resetting {
            return Err(Silent::Resetting);
        }
        match address {
            2 => Ok((2, register)),
            1 if register == PAGE => Ok((1, PAGE)),
            1 if register < 16 => Ok((2, register)),
            1 if PAGES.contains(&self.page) || self.page == LOW && self.part.ulp => Ok((if self.page == 768 { 0 } else { self.page }, register)),
            _ => Err(Silent::Nothing),
        }
    }

    /// Reads a register. `smbus`: the MAC talks by SMBus.
    pub fn read(&mut self, address: u16, register: u16, smbus: bool, now: u64) -> Result<u16, Silent> {
        let place = self.place(address, register, smbus, now)?;
        Ok(match place {
            (1, _) => self.page << 5,
            (2, register) => self.standard(register),
            (WAKE, 0x12) => {
                let at = self.setting((WAKE, 0x11));
                self.wake.get(&at).copied().unwrap_or(0)
            }
            _ => self.setting(place),
        })
    }

    /// A register of the standard.
    fn standard(&mut self, register: u16) -> u16 {
        match register {
            0 => self.control,
            1 => {
                let steady = self.up && !std::mem::replace(&mut self.lost, false);
                0x7949 | (self.up as u16) << 5 | (steady as u16) << 2
            }
            2 => (self.part.phy >> 16) as u16,
            3 => self.part.phy as u16,
            4 => self.advertise,
            5 if self.up => 0xCDE1,
            6 if self.up => 0x000F,
            9 => self.advertise_1000,
            10 if self.up => 0x3800,
            15 => 0x3000,
            5 | 6 | 10 => 0,
            // The data register of what the next register addresses.
            0x11 => self.extended.get(&self.setting((2, 0x10))).copied().unwrap_or(0),
            // Link, negotiation, speed; cable of 5 m.
            26 if self.up => {
                let speed = match self.speed() {
                    1000 => 2,
                    100 => 1,
                    _ => 0,
                };
                0x1040 | speed << 8
            }
            26 => 0,
            31 => 5 << 2,
            _ => self.setting((2, register)),
        }
    }

    /// Writes a register. True: the link went down.
    pub fn write(&mut self, address: u16, register: u16, value: u16, smbus: bool, now: u64) -> Result<bool, Silent> {
        let place = self.place(address, register, smbus, now)?;
        Ok(match place {
            (1, _) => {
                self.page = value >> 5;
                false
            }
            (2, 0) => self.set_control(value, now),
            (2, 4) => {
                self.advertise = value;
                false
            }
            (2, 9) => {
                self.advertise_1000 = value & 0x1F00;
                false
            }
            (2, 0x11) => {
                let at = self.setting((2, 0x10));
                self.extended.insert(at, value);
                false
            }
            (2, 1..=3 | 5 | 6 | 10 | 15 | 26 | 31) => false,
            (WAKE, 0x12) => {
                if self.setting(register::WAKE_ENABLE) & 4 == 0 {
                    return Err(Silent::Nothing);
                }
                let at = self.setting((WAKE, 0x11));
                self.wake.insert(at, value);
                false
            }
            register::OEM => {
                self.others.insert(place, value & !oem::RESTART);
                value & oem::RESTART != 0 && self.restart(now)
            }
            register::ULP => self.set_low_power(value, now),
            _ => {
                self.others.insert(place, value);
                false
            }
        })
    }

    /// The control register.
    fn set_control(&mut self, value: u16, now: u64) -> bool {
        let before = self.control;
        self.control = value & 0x3D40;
        if value & 0x8000 != 0 {
            (self.control, self.advertise, self.advertise_1000) = (0x1140, 0x0DE1, 0x0200);
        }
        (value & 0x8200 != 0 || (before ^ self.control) & 0x3C40 != 0) && self.restart(now)
    }

    /// The settings of ULP. They are in force when the driver starts them.
    fn set_low_power(&mut self, value: u16, now: u64) -> bool {
        self.others.insert(register::ULP, value & !ulp::START);
        if value & ulp::START == 0 {
            false
        } else if value & (ulp::STICKY | ulp::LEAVE_IN_BAND) != 0 {
            self.enter_low_power(now)
        } else {
            self.restart(now)
        }
    }

    /// On the 82579 two transactions must have a pause between them.
    pub fn needs_pause(&self) -> bool {
        self.part.generation == Generation::Pch2
    }
}
