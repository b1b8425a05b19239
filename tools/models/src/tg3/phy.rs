//! The PHY: standard registers, a negotiation that takes its time, the auxiliary status with the speed, and shadow registers
//! behind 15h to 18h and 1Ch, which hold what was written.

use super::Part;
use std::collections::BTreeMap;

const CONTROL_RESET: u16 = 1 << 15;
const CONTROL_100: u16 = 1 << 13;
const NEGOTIATES: u16 = 1 << 12;
const POWERED_DOWN: u16 = 1 << 11;
const ISOLATED: u16 = 1 << 10;
const RESTARTS: u16 = 1 << 9;
const FULL: u16 = 1 << 8;
const CONTROL_1000: u16 = 1 << 6;

/// The PHY.
#[derive(Clone, Debug)]
pub struct Phy {
    id: u32,
    highest: u16,
    /// One of 10 and 100 Mb/s with its own auxiliary status.
    fast: bool,
    partner: u16,
    negotiation: u64,
    control: u16,
    advertise: u16,
    advertise_1000: u16,
    others: BTreeMap<u16, u16>,
    /// What register 18h, 1Ch and 15h select.
    auxiliary: u16,
    shadow: u16,
    expansion: u16,
    /// What 0Dh and 0Eh select: a device, its register, and whether 0Eh is the register's value.
    device: u16,
    inner: u16,
    value: bool,
    devices: BTreeMap<(u16, u16), u16>,
    cable: bool,
    up: bool,
    up_at: Option<u64>,
    lost: bool,
    /// The interrupt status: the link has changed.
    changed: bool,
}

impl Phy {
    /// A PHY that begins to negotiate at this time.
    pub fn new(part: Part, negotiation: u64, partner: u16, now: u64) -> Phy {
        let mut phy = Phy {
            id: part.phy,
            highest: part.speed,
            fast: part.vcpu,
            partner,
            negotiation,
            control: NEGOTIATES | FULL | CONTROL_1000,
            advertise: 0x01E1,
            advertise_1000: 0x0300,
            others: BTreeMap::new(),
            auxiliary: 0,
            shadow: 0,
            expansion: 0,
            device: 0,
            inner: 0,
            value: false,
            devices: BTreeMap::new(),
            cable: true,
            up: false,
            up_at: None,
            lost: true,
            changed: false,
        };
        phy.restart(now);
        phy
    }

    /// The link is up.
    pub fn link(&self) -> bool {
        self.up
    }

    /// Its speed in Mb/s, by what both sides offer.
    pub fn speed(&self) -> u16 {
        if self.control & NEGOTIATES == 0 {
            return match self.control & (CONTROL_100 | CONTROL_1000) {
                CONTROL_1000 => 1000,
                CONTROL_100 => 100,
                _ => 10,
            };
        }
        if self.highest >= 1000 && self.partner >= 1000 && self.advertise_1000 & 0x0300 != 0 {
            1000
        } else if self.partner >= 100 && self.advertise & 0x0180 != 0 {
            100
        } else {
            10
        }
    }

    /// Both directions at once.
    pub fn full(&self) -> bool {
        match (self.control & NEGOTIATES != 0, self.speed()) {
            (false, _) => self.control & FULL != 0,
            (_, 1000) => self.advertise_1000 & 0x0200 != 0,
            (_, 100) => self.advertise & 0x0100 != 0,
            _ => self.advertise & 0x0040 != 0,
        }
    }

    /// When the link comes up.
    pub fn wake_at(&self) -> Option<u64> {
        self.up_at
    }

    /// Ends a negotiation that is due. True: the link came up.
    pub fn advance(&mut self, now: u64) -> bool {
        let came = self.up_at.take_if(|at| *at <= now).is_some();
        self.up |= came;
        self.changed |= came;
        came
    }

    /// Plugs the cable in or out. True: the link went down.
    pub fn set_cable(&mut self, plugged: bool, now: u64) -> bool {
        self.cable = plugged;
        self.restart(now)
    }

    /// It gets no power until its next reset.
    pub fn power_down(&mut self, now: u64) {
        self.control |= POWERED_DOWN;
        self.restart(now);
    }

    /// Drops the link and begins again. True: the link went down.
    fn restart(&mut self, now: u64) -> bool {
        let ready = self.cable && self.control & (POWERED_DOWN | ISOLATED) == 0;
        self.up_at = ready.then_some(now + self.negotiation);
        self.lost |= self.up;
        self.changed |= self.up;
        std::mem::take(&mut self.up)
    }

    /// The place in `others` of what a register selects.
    fn behind(&self, register: u8) -> u16 {
        let select = match register {
            0x15 => self.expansion,
            0x18 => self.auxiliary,
            0x1C => self.shadow,
            _ => 0,
        };
        (register as u16) << 8 | select & 0xFF
    }

    /// The auxiliary status: the speed that was negotiated.
    fn auxiliary_status(&self) -> u16 {
        if !self.up {
            return 0;
        }
        if self.fast {
            return ((self.speed() == 100) as u16) << 3 | self.full() as u16 | 1 << 15 | 1 << 2;
        }
        let speed = match (self.speed(), self.full()) {
            (1000, true) => 7,
            (1000, false) => 6,
            (100, true) => 5,
            (100, false) => 3,
            (_, true) => 2,
            _ => 1,
        };
        1 << 15 | speed << 8 | 1 << 2
    }

    /// Reads a register.
    pub fn read(&mut self, register: u8) -> u16 {
        let gigabit = self.highest >= 1000;
        match register {
            0x00 => self.control,
            0x01 => {
                let steady = self.up && !std::mem::replace(&mut self.lost, false);
                0x7849 | (gigabit as u16) << 8 | (self.up as u16) << 5 | (steady as u16) << 2
            }
            0x02 => (self.id >> 16) as u16,
            0x03 => self.id as u16,
            0x04 => self.advertise,
            0x05 if self.up && self.control & NEGOTIATES != 0 => 0xC001 | if self.partner >= 100 { 0x01E0 } else { 0x0060 },
            0x06 if self.up => 0x000F,
            0x09 if gigabit => self.advertise_1000,
            0x0A if gigabit && self.up && self.partner >= 1000 => 0x3C00,
            0x0D => self.device,
            0x0E if self.value => self.devices.get(&(self.device, self.inner)).copied().unwrap_or(0),
            0x0E => self.inner,
            0x0F if gigabit => 0x3000,
            0x05 | 0x06 | 0x09 | 0x0A | 0x0F => 0,
            0x19 => self.auxiliary_status(),
            0x1A => (std::mem::take(&mut self.changed) as u16) << 1,
            0x18 => self.others.get(&self.behind(register)).copied().unwrap_or(0) & !7 | self.auxiliary,
            _ => self.others.get(&self.behind(register)).copied().unwrap_or(0),
        }
    }

    /// Writes a register. True: the link went down.
    pub fn write(&mut self, register: u8, value: u16, now: u64) -> bool {
        match register {
            0x00 => {
                let before = self.control;
                self.control = value & (CONTROL_100 | NEGOTIATES | POWERED_DOWN | ISOLATED | FULL | CONTROL_1000);
                if value & CONTROL_RESET != 0 {
                    self.control = NEGOTIATES | FULL | CONTROL_1000;
                    self.advertise = 0x01E1;
                    self.advertise_1000 = if self.highest >= 1000 { 0x0300 } else { 0 };
                }
                let changed = (before ^ self.control) & (CONTROL_100 | NEGOTIATES | POWERED_DOWN | ISOLATED | CONTROL_1000);
                if value & (CONTROL_RESET | RESTARTS) != 0 || changed != 0 {
                    return self.restart(now);
                }
            }
            0x04 => self.advertise = value,
            0x09 => self.advertise_1000 = value & 0x1F00,
            0x0D => (self.device, self.value) = (value & 0x1F, value >> 14 != 0),
            0x0E if self.value => drop(self.devices.insert((self.device, self.inner), value)),
            0x0E => self.inner = value,
            0x01..=0x03 | 0x05 | 0x06 | 0x0A | 0x0F | 0x19 | 0x1A => {}
            // The low bits select; those behind 7 are read by writing 7 and the number.
            0x18 if value & 7 == 7 && value & 0x8000 == 0 => self.auxiliary = value >> 12 & 7,
            0x18 => {
                self.auxiliary = value & 7;
                self.others.insert(self.behind(register), value);
            }
            0x1C => {
                self.shadow = value >> 10 & 0x1F;
                if value & 0x8000 != 0 {
                    self.others.insert(self.behind(register), value & 0x7FFF);
                } else {
                    let at = self.behind(register);
                    self.others.entry(at).or_insert(value & 0x7C00);
                }
            }
            0x17 => {
                self.expansion = value;
                self.others.insert(0x1700, value);
            }
            _ => drop(self.others.insert(self.behind(register), value)),
        }
        false
    }
}
