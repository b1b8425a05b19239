//! The PHY in the chip: standard registers, pages, and a negotiation that takes its time.
//!
//! A register is named by its OCP address: standard register n is A400h + 2n; registers 10h to 17h of page p are p * 16 and on.
//! The older interface (register 1Fh selects the page) reaches the same ones. Pages hold what was written; only what drivers
//! read about speeds has a meaning. Tested by Linux's `realtek` driver.

use std::collections::BTreeMap;

/// The address of the standard registers.
const STANDARD: u16 = 0xA400;
/// Speed that was resolved: bits 10:9 and 5:4.
const RESOLVED: u16 = 0xA434;
/// Advertisement of 2.5 Gb/s: bit 7. The partner's: bit 5.
const ADVERTISE_2500: u16 = 0xA5D4;
const PARTNER_2500: u16 = 0xA5D6;
/// Abilities: bit 13 is 2.5 Gb/s.
const ABILITIES: u16 = 0xA616;

/// The PHY.
#[derive(Clone, Debug)]
pub struct Phy {
    id: u32,
    highest: u16,
    /// Nanoseconds of a negotiation.
    negotiation: u64,
    control: u16,
    advertise: u16,
    advertise_1000: u16,
    page: u16,
    others: BTreeMap<u16, u16>,
    cable: bool,
    up: bool,
    /// When the negotiation ends.
    up_at: Option<u64>,
    /// The link was lost since the last read of the status.
    lost: bool,
}

impl Phy {
    /// A PHY that begins to negotiate at this time, unless it is powered down.
    pub fn new(id: u32, highest: u16, negotiation: u64, dozes: bool, now: u64) -> Phy {
        let mut phy = Phy {
            id,
            highest,
            negotiation,
            control: 0x1140 | (dozes as u16) << 11,
            advertise: 0x0DE1,
            advertise_1000: 0x0200,
            page: 0,
            others: BTreeMap::from([(ADVERTISE_2500, 0x80)]),
            cable: true,
            up: false,
            up_at: None,
            lost: true,
        };
        phy.restart(now);
        phy
    }

    /// The link is up.
    pub fn link(&self) -> bool {
        self.up
    }

    /// Its speed in Mb/s, by what both sides offer; the partner offers all.
    pub fn speed(&self) -> u16 {
        if self.control & 0x1000 == 0 {
            return match self.control & 0x2040 {
                0x0040 => 1000,
                0x2000 => 100,
                _ => 10,
            };
        }
        let fastest = self.others.get(&ADVERTISE_2500).is_some_and(|word| word & 0x80 != 0);
        match self.highest {
            2500 if fastest => 2500,
            1000.. if self.advertise_1000 & 0x0300 != 0 => 1000,
            _ if self.advertise & 0x0180 != 0 => 100,
            _ => 10,
        }
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
        self.restart(now)
    }

    /// Drops the link and begins again. True: the link went down.
    fn restart(&mut self, now: u64) -> bool {
        let ready = self.cable && self.control & 0x0C00 == 0;
        self.up_at = ready.then_some(now + self.negotiation);
        self.lost |= self.up;
        std::mem::take(&mut self.up)
    }

    /// The address of a register of the older interface, on the page that is selected.
    pub fn paged(&self, register: u16) -> u16 {
        if self.page == 0 { STANDARD + 2 * register } else { (self.page << 4).wrapping_add(2 * register).wrapping_sub(0x20) }
    }

    /// Reads a register of the older interface.
    pub fn read_paged(&mut self, register: u16) -> u16 {
        if register == 0x1F { self.page } else { self.read(self.paged(register)) }
    }

    /// Writes one. True: the link went down.
    pub fn write_paged(&mut self, register: u16, value: u16, now: u64) -> bool {
        if register == 0x1F {
            self.page = value;
            return false;
        }
        self.write(self.paged(register), value, now)
    }

    /// Reads the register at an OCP address.
    pub fn read(&mut self, address: u16) -> u16 {
        let gigabit = self.highest >= 1000;
        match address {
            RESOLVED if self.up => match self.speed() {
                2500 => 0x0210,
                1000 => 0x0020,
                100 => 0x0010,
                _ => 0,
            },
            PARTNER_2500 if self.up && self.highest == 2500 => 0x20,
            ABILITIES => ((self.highest == 2500) as u16) << 13,
            STANDARD..0xA440 if address & 1 == 0 => match (address - STANDARD) / 2 {
                0 => self.control,
                1 => {
                    let steady = self.up && !std::mem::replace(&mut self.lost, false);
                    0x7849 | (gigabit as u16) << 8 | (self.up as u16) << 5 | (steady as u16) << 2
                }
                2 => (self.id >> 16) as u16,
                3 => self.id as u16,
                4 => self.advertise,
                5 if self.up => 0xCDE1,
                6 if self.up => 0x000F,
                5 | 6 => 0,
                9 if gigabit => self.advertise_1000,
                10 if gigabit && self.up => 0x3800,
                15 if gigabit => 0x2000,
                9 | 10 | 15 => 0,
                _ => self.others.get(&address).copied().unwrap_or(0),
            },
            _ => self.others.get(&address).copied().unwrap_or(0),
        }
    }

    /// Writes the register at an OCP address. True: the link went down.
    pub fn write(&mut self, address: u16, value: u16, now: u64) -> bool {
        match address {
            STANDARD => {
                let before = self.control;
                self.control = value & 0x3D40;
                if value & 0x8000 != 0 {
                    self.control = 0x1140;
                    self.advertise = 0x0DE1;
                    self.advertise_1000 = 0x0200;
                }
                if value & 0x8200 != 0 || (before ^ self.control) & 0x3C40 != 0 {
                    return self.restart(now);
                }
            }
            0xA408 => self.advertise = value,
            0xA412 => self.advertise_1000 = value & 0x1F00,
            _ => drop(self.others.insert(address, value)),
        }
        false
    }
}
