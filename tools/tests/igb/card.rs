//! A card of Intel's 82575 family, with the registers that these tests need. Its numbers are those of the datasheets of the
//! 82576 and the I210. It complains of what no card accepts.

use std::collections::HashMap;

use models::{Env, Model};

pub const MAC: [u8; 6] = [0x00, 0x1B, 0x21, 0x12, 0x34, 0x57];
/// Register numbers that the tests read.
pub const MPC: u16 = 0x4010;
const ICR: u16 = 0x00C0;
const IMS: u16 = 0x00D0;
const RCTL: u16 = 0x0100;
const TCTL: u16 = 0x0400;
const CTRL: u16 = 0x0000;
const RXPBS: u16 = 0x2404;
const TXPBS: u16 = 0x3404;
const SRRCTL: u16 = 0x280C;
const SWSM: u16 = 0x5B50;
const SW_FW_SYNC: u16 = 0x5B5C;
const PHPM: u16 = 0x0E14;
const GPIE: u16 = 0x1514;
const ENABLE: u32 = 1 << 25;
/// Time until a queue has started or stopped.
const QUEUE_NS: u64 = 50_000;
/// Time until the EEPROM is read after a reset.
const EEPROM_NS: u64 = 6_000_000;
/// Time of a negotiation; a real one takes seconds.
const NEGOTIATION_NS: u64 = 50_000_000;

/// A part of the family.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub device: u16,
    /// It has the table of unicast addresses.
    pub uta: bool,
    /// It has PHPM, whose bit 5 keeps the link down.
    pub phpm: bool,
    /// A reset leaves the sizes of its buffers.
    pub keeps_sizes: bool,
    /// The address at which its PHY answers.
    pub phy: u32,
    /// The receiver's queue starts only while the receiver is on.
    pub late_queue: bool,
    /// The first receive queue works after a reset.
    pub early_queue: bool,
}

const COMMON: Part = Part { device: 0, uta: true, phpm: true, keeps_sizes: false, phy: 1, late_queue: false, early_queue: false };

/// All parts.
pub const PARTS: [Part; 9] = [
    Part { device: 0x10A7, uta: false, phpm: false, early_queue: true, ..COMMON },
    Part { device: 0x10C9, phpm: false, ..COMMON },
    Part { device: 0x150E, ..COMMON },
    Part { device: 0x1521, late_queue: true, ..COMMON },
    Part { device: 0x1533, keeps_sizes: true, ..COMMON },
    Part { device: 0x1539, ..COMMON },
    Part { device: 0x15F3, keeps_sizes: true, phy: 0, late_queue: true, ..COMMON },
    Part { device: 0x125C, keeps_sizes: true, phy: 0, ..COMMON },
    Part { device: 0x1F41, late_queue: true, ..COMMON },
];

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The reset never ends.
    pub reset: bool,
    /// Queues never start.
    pub queues: bool,
    /// The EEPROM holds no address.
    pub address: bool,
    /// The firmware keeps the PHY until then; `u64::MAX`: for ever.
    pub phy_until_ns: u64,
    /// So many frames after the start the transmitter hangs, until its queue is stopped.
    pub hang_after: Option<u32>,
    /// Starting the transmit queue puts its head and tail to 0, as the I210 does; otherwise they stay, as in QEMU.
    pub head_to_zero: bool,
}

/// The card.
pub struct Igb {
    pub part: Part,
    pub faults: Faults,
    /// Registers are reached by two ports.
    pub ports: bool,
    /// The machine has memory that the card finds at ADDRESS at ADDRESS - `shift`.
    pub shift: u32,
    pub registers: HashMap<u16, u32>,
    /// Accesses to the PHY.
    pub phy_accesses: u32,
    /// The status register's bits for the link's speed.
    pub speed: u32,
    /// Receive descriptors written so far.
    pub received: u32,
    index: u16,
    pub now_ns: u64,
    bmcr: u16,
    reset_at: Option<u64>,
    link_at: Option<u64>,
    /// Queues that change: register, its new value, when.
    changing: Vec<(u16, u32, u64)>,
    sent: u32,
    hangs: bool,
}

impl Igb {
    /// A card as another driver has left it, with its PHY off.
    pub fn new(part: Part) -> Igb {
        let mut card = Igb {
            part,
            faults: Faults::default(),
            ports: false,
            shift: 0,
            registers: HashMap::new(),
            phy_accesses: 0,
            speed: 0,
            received: 0,
            index: 0,
            now_ns: 0,
            bmcr: 0x1940,
            reset_at: None,
            link_at: None,
            changing: Vec::new(),
            sent: 0,
            hangs: false,
        };
        card.set_defaults();
        for (register, value) in [(RXPBS, 0x20), (TXPBS, 0x0400_0022), (GPIE, 0x8000_0011), (0x1524, 7), (IMS, 0xFF), (PHPM, 1 << 5)] {
            card.registers.insert(register, value);
        }
        card
    }

    /// The same with faults.
    pub fn with(part: Part, faults: Faults) -> Igb {
        let mut card = Igb { faults, ..Igb::new(part) };
        card.registers.insert(0x5404, card.of(0x5404) & !(1 << 31) | (!faults.address as u32) << 31);
        card
    }

    /// A card whose registers are reached by two ports, and whose addresses of memory are `shift` above the machine's.
    pub fn behind_ports(part: Part, shift: u32) -> Igb {
        Igb { ports: true, shift, ..Igb::new(part) }
    }

    /// The link is up, as another driver has left it.
    pub fn set_up(&mut self) {
        self.bmcr = 0x1140;
        self.link_at = Some(0);
        self.set(PHPM, 0);
    }

    /// What a reset does.
    fn set_defaults(&mut self) {
        let kept: Vec<_> = [RXPBS, TXPBS, PHPM, SWSM, SW_FW_SYNC, MPC, GPIE].iter().map(|&register| (register, self.of(register))).collect();
        self.registers.clear();
        self.changing.clear();
        self.registers.extend(kept);
        if !self.part.keeps_sizes {
            self.registers.extend([(RXPBS, 0xA2), (TXPBS, 0x0400_0014)]);
        }
        let [a, b, c, d, e, f] = MAC;
        self.registers.insert(0x5400, u32::from_le_bytes([a, b, c, d]));
        self.registers.insert(0x5404, u32::from_le_bytes([e, f, 0, 0]) | (!self.faults.address as u32) << 31);
        self.registers.insert(SRRCTL, 0x400);
        self.registers.insert(0x2828, if self.part.early_queue { ENABLE } else { 0 });
        // What the firmware of other drivers, or chance, leaves in tables.
        for index in 0..128 {
            self.registers.insert(0xA000 + 4 * index, if self.part.uta { u32::MAX } else { 0 });
            self.registers.insert(0x5200 + 4 * index, u32::MAX);
        }
        self.registers.extend([(0x5818, 1), (0x581C, 1 << 29), (0x5000, 0x300)]);
    }

    pub fn of(&self, register: u16) -> u32 {
        self.registers.get(&register).copied().unwrap_or_default()
    }

    fn set(&mut self, register: u16, value: u32) {
        self.registers.insert(register, value);
    }

    fn enabled(&self, register: u16) -> bool {
        self.of(register) & ENABLE != 0
    }

    fn has_link(&self) -> bool {
        let forbidden = self.part.phpm && self.of(PHPM) & 1 << 5 != 0;
        !forbidden && self.of(CTRL) & 1 << 6 != 0 && self.link_at.is_some_and(|at| at <= self.now_ns)
    }

    fn asserted(&self) -> bool {
        self.of(ICR) & self.of(IMS) != 0
    }

    fn cause(&mut self, env: &mut dyn Env, causes: u32) {
        self.set(ICR, self.of(ICR) | causes);
        let active = self.asserted();
        env.set_irq(active);
    }

    fn phy(&mut self, env: &mut dyn Env, value: u32) {
        self.phy_accesses += 1;
        if self.of(SW_FW_SYNC) & 1 << 1 == 0 {
            env.complain("the PHY is accessed without SW_FW_SYNC");
        }
        if value >> 21 & 31 != self.part.phy || value >> 16 & 31 != 0 {
            return self.set(0x0020, value | 1 << 28 | 1 << 30);
        }
        let mut data = value & 0xFFFF;
        match value >> 26 & 3 {
            1 => {
                self.bmcr = data as u16 & !(1 << 9);
                if data & 3 << 9 == 1 << 9 && data & 1 << 12 != 0 && data & 1 << 11 == 0 {
                    self.link_at = Some(self.now_ns + NEGOTIATION_NS);
                }
            }
            _ => data = self.bmcr as u32,
        }
        self.set(0x0020, value & 0xFFFF_0000 | data | 1 << 28);
    }

    fn get(&mut self, env: &mut dyn Env, register: u16) -> u32 {
        match register {
            0x0008 => self.speed | (self.has_link() as u32) << 1 | ((self.of(CTRL) & 4 == 0) as u32) << 19 | 0x8000_0000,
            0x0010 => (self.reset_at.is_none_or(|at| at + EEPROM_NS <= self.now_ns) as u32) << 9,
            ICR => {
                let value = self.of(ICR) | (self.asserted() as u32) << 31;
                if self.of(IMS) == 0 || self.asserted() {
                    self.set(ICR, 0);
                    env.set_irq(false);
                }
                value
            }
            MPC | 0x4000 => self.registers.remove(&register).unwrap_or_default(),
            SWSM => {
                let value = self.of(SWSM);
                self.set(SWSM, value | 1);
                value
            }
            SW_FW_SYNC => self.of(SW_FW_SYNC) | ((self.now_ns < self.faults.phy_until_ns) as u32) << 17,
            _ => self.of(register),
        }
    }

    fn put(&mut self, env: &mut dyn Env, register: u16, value: u32) {
        let ring = matches!(register & 0xFFF, 0x800..=0x808) && matches!(register >> 12, 2 | 3);
        if ring && self.enabled(register & 0xF000 | 0x828) {
            env.complain("a ring moves while its queue works");
        }
        if ring && register & 15 != 4 && value & 127 != 0 {
            env.complain("a ring does not begin or end at a multiple of 128");
        }
        match register {
            CTRL if value & 1 << 26 != 0 => {
                if self.of(CTRL) & 4 == 0 {
                    env.complain("a reset while DMA is on");
                }
                self.reset_at = Some(self.now_ns);
                self.set_defaults();
                self.set(CTRL, if self.faults.reset { 1 << 26 } else { 0 });
            }
            0x0020 => self.phy(env, value),
            0x00C8 => self.cause(env, value),
            IMS => {
                self.set(IMS, self.of(IMS) | value);
                self.cause(env, 0);
            }
            0x00D8 => {
                self.set(IMS, self.of(IMS) & !value);
                self.cause(env, 0);
            }
            0x2810 | 0x3810 => env.complain("a head is written"),
            // A tail that is written to a queue that does not work is lost.
            0x2818 if self.enabled(0x2828) => self.set(register, value),
            0x3818 if self.enabled(0x3828) => {
                self.set(register, value);
                self.transmit(env);
            }
            0x2818 | 0x3818 => {}
            0x2828 | 0x3828 => self.changing.push((register, value, self.now_ns + QUEUE_NS)),
            0xA000..=0xA1FF if !self.part.uta => env.complain("the 82575 has no such table"),
            PHPM if !self.part.phpm => env.complain("there is no such register"),
            SWSM => self.set(SWSM, value),
            _ => self.set(register, value),
        }
    }

    fn change_queues(&mut self) {
        for (register, value, at) in std::mem::take(&mut self.changing) {
            let starts = value & ENABLE != 0;
            let late = starts && register == 0x2828 && self.part.late_queue && self.of(RCTL) & 2 == 0;
            if at > self.now_ns || late {
                self.changing.push((register, value, at));
                continue;
            }
            if starts && !self.enabled(register) && (register == 0x2828 || self.faults.head_to_zero) {
                self.set(register & 0xF000 | 0x810, 0);
                self.set(register & 0xF000 | 0x818, 0);
            }
            if register == 0x3828 && !starts {
                self.hangs = false;
            }
            self.set(register, if self.faults.queues { value & !ENABLE } else { value });
        }
    }

    fn word(&self, env: &mut dyn Env, at: u32) -> u32 {
        let mut bytes = [0; 4];
        env.dma_read(at - self.shift, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn transmit(&mut self, env: &mut dyn Env) {
        if self.of(TCTL) & 2 == 0 {
            return;
        }
        let count = self.of(0x3808) / 16;
        while self.of(0x3810) != self.of(0x3818) && !self.hangs {
            let desc = self.of(0x3800) + 16 * self.of(0x3810);
            let [at, high, command, state] = [0, 4, 8, 12].map(|offset| self.word(env, desc + offset));
            let len = (command & 0xFFFF) as usize;
            if high != 0 || command >> 16 != 0x0B00 || !(60..=1514).contains(&len) || state & 0xFF != 0 {
                env.complain("a transmit descriptor makes no sense");
            }
            self.sent += 1;
            if self.faults.hang_after.is_some_and(|after| self.sent == after) {
                self.hangs = true;
                return;
            }
            let mut frame = vec![0; len];
            env.dma_read(at - self.shift, &mut frame);
            env.transmit(&frame);
            env.dma_write(desc + 12 - self.shift, &(state | 1).to_le_bytes());
            self.set(0x3810, (self.of(0x3810) + 1) % count);
        }
    }

    fn check_receiver(&self, env: &mut dyn Env) {
        let tables = (0..128).all(|index| self.of(0xA000 + 4 * index) == 0 && self.of(0x5200 + 4 * index) == 0);
        for (good, what) in [
            (self.of(SRRCTL) == 1 << 25 | 2, "the form of the descriptors is another one"),
            (self.of(RXPBS) == 0xA2 && self.of(TXPBS) == 0x0400_0014, "another driver's sizes of the buffers are in force"),
            (self.of(0x5818) == 0 && self.of(0x581C) == 0, "another driver's queues are in force"),
            (self.of(0x5000) == 0, "checksums are on"),
            (self.of(GPIE) == 0, "interrupts are another driver's"),
            (tables, "a table of addresses was not cleared"),
        ] {
            if !good {
                env.complain(what);
            }
        }
    }

    fn accepts(&self, to: &[u8]) -> bool {
        let mode = self.of(RCTL);
        let is = |index: u16| {
            let [low, high] = [0, 4].map(|half| self.of(0x5400 + 8 * index + half));
            high >> 31 != 0 && [&low.to_le_bytes()[..], &high.to_le_bytes()[..2]].concat() == to
        };
        mode & 1 << 3 != 0 || to == [0xFF; 6] && mode & 1 << 15 != 0 || to[0] & 1 != 0 && mode & 1 << 4 != 0 || (0..16).any(is)
    }
}

impl Model for Igb {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        assert_eq!(width, 4, "registers have 32 bits");
        match (self.ports, offset) {
            (true, 0) => self.index as u32,
            (true, _) => self.get(env, self.index),
            (false, register) => self.get(env, register),
        }
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        assert_eq!(width, 4, "registers have 32 bits");
        match (self.ports, offset) {
            (true, 0) => self.index = value as u16,
            (true, _) => self.put(env, self.index, value),
            (false, register) => self.put(env, register, value),
        }
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        if self.of(RCTL) & 2 == 0 || !self.accepts(&frame[..6]) {
            return false;
        }
        self.check_receiver(env);
        let (head, count) = (self.of(0x2810), self.of(0x2808) / 16);
        if !self.enabled(0x2828) || head == self.of(0x2818) {
            self.set(MPC, self.of(MPC) + 1);
            self.cause(env, 1 << 6);
            return false;
        }
        let desc = self.of(0x2800) + 16 * head;
        let [at, high, done] = [0, 4, 8].map(|offset| self.word(env, desc + offset));
        if at == 0 || high != 0 || done & 1 != 0 {
            env.complain("a receive descriptor makes no sense");
        }
        env.dma_write(at - self.shift, frame);
        // The address is overwritten: kind of frame, hash; then state, length, VLAN.
        for (offset, value) in [(0, 0x0000_0413), (4, 0xDEAD_BEEF), (12, 0xABCD_0000 | frame.len() as u32), (8, 0x63)] {
            env.dma_write(desc + offset - self.shift, &u32::to_le_bytes(value));
        }
        self.received += 1;
        self.set(0x2810, (head + 1) % count);
        self.cause(env, 1 << 7);
        true
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.now_ns = env.now_ns();
        self.change_queues();
    }

    fn set_link(&mut self, _: &mut dyn Env, _: bool) {}

    fn hard_reset(&mut self, _: &mut dyn Env) {}
}
