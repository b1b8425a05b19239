//! A card of Broadcom's tg3 family, with what these tests need: reset and boot code, configuration window, rings, interrupts, PHY.
//! It complains of what no card accepts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use models::{Env, Model};

pub const MAC: [u8; 6] = [0x00, 0x10, 0x18, 0xA2, 0x34, 0x57];
const MAGIC: u32 = 0x4B65_7654;
/// Where the PCI Express capability is.
const EXPRESS: usize = 0xAC;
/// Times in nanoseconds: of a reset, until the boot code is done, of a negotiation.
const RESET_NS: u64 = 2_000_000;
const BOOT_NS: u64 = 130_000_000;
const NEGOTIATION_NS: u64 = 3_000_000;

/// A part of the family.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub device: u16,
    pub name: &'static str,
    /// The upper half of register 68h.
    pub chip: u16,
    pub express: bool,
    /// Its mailboxes are 5600h further on, and its PHY is one for 100 Mb/s.
    pub fast: bool,
    /// 57765 and later: the length of a buffer is in its ring's control block.
    pub newer: bool,
    /// The address at which its PHY answers, as function 0.
    pub phy: u32,
}

const COMMON: Part = Part { device: 0, name: "", chip: 0xF000, express: true, fast: false, newer: false, phy: 1 };

pub const PARTS: [Part; 12] = [
    Part { device: 0x1653, name: "BCM5705", chip: 0x3003, express: false, ..COMMON },
    Part { device: 0x1677, name: "BCM5751", chip: 0x4101, ..COMMON },
    Part { device: 0x1676, name: "BCM5750", chip: 0x4000, ..COMMON },
    Part { device: 0x1600, name: "BCM5752", chip: 0x6002, ..COMMON },
    Part { device: 0x167B, name: "BCM5755", chip: 0xA002, ..COMMON },
    Part { device: 0x169B, name: "BCM5787", chip: 0xB002, ..COMMON },
    Part { device: 0x1713, name: "BCM5906M", chip: 0xC002, fast: true, ..COMMON },
    Part { device: 0x1681, name: "BCM5761", ..COMMON },
    Part { device: 0x16B4, name: "BCM57765", newer: true, ..COMMON },
    Part { device: 0x1655, name: "BCM5717", newer: true, ..COMMON },
    Part { device: 0x1657, name: "BCM5719", newer: true, ..COMMON },
    Part { device: 0x165F, name: "BCM5720", newer: true, ..COMMON },
];

/// Where the station address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    Memory,
    Registers,
    Nvram,
    Nowhere,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// The reset never ends.
    pub reset: bool,
    /// The boot code never answers.
    pub boot: bool,
    /// The NVRAM is never released.
    pub nvram: bool,
    /// The PHY's accesses never end.
    pub phy: bool,
    /// The doorbell with this number is not heard.
    pub doorbell: Option<u32>,
    /// The write of the status block with this number is lost, with its interrupt.
    pub update: Option<u32>,
    /// The buffer manager never starts.
    pub manager: bool,
    pub address: Address,
}

pub const NONE: Faults =
    Faults { reset: false, boot: false, nvram: false, phy: false, doorbell: None, update: None, manager: false, address: Address::Memory };

/// What the PHY negotiates: its auxiliary status's bits 10:8.
pub const GIGABIT: u16 = 7;

pub struct Card {
    pub part: Part,
    pub faults: Faults,
    pub registers: HashMap<u16, u32>,
    pub sram: HashMap<u16, u32>,
    pub config: [u8; 256],
    config_address: u32,
    pub now: u64,
    reset_until: u64,
    boot_at: Option<u64>,
    ready: bool,
    pub resets: u32,
    // Indices.
    buffers: u32,
    returns: u32,
    sends: u32,
    tag: u32,
    inta: bool,
    pub interrupts: u32,
    pub sent: Vec<Vec<u8>>,
    pub received: u32,
    pub dropped: u32,
    doorbells: u32,
    updates: u32,
    /// Frames that were sent since the status block was written.
    untold: u32,
    // The PHY.
    pub bmcr: u16,
    latched_down: bool,
    link: bool,
    pub aux: u16,
    link_at: Option<u64>,
    pub negotiations: u32,
    pub phy_registers: HashMap<u32, u16>,
    /// The link is lost when the driver next ends a request: a moment before the card hears of that.
    pub falls_at_the_end: bool,
}

impl Card {
    /// A card as another driver has left it: its PHY is off, it interrupts.
    pub fn new(part: Part, faults: Faults) -> Card {
        let mut config = [0; 256];
        config[..4].copy_from_slice(&((part.device as u32) << 16 | 0x14E4).to_le_bytes());
        config[0x10..0x14].copy_from_slice(&(super::REGISTERS | 4).to_le_bytes());
        config[0x3C] = super::IRQ;
        config[0x0C] = 0x10;
        config[0x6A..0x6C].copy_from_slice(&part.chip.to_le_bytes());
        if part.express {
            config[6] = 0x10;
            config[0x34] = EXPRESS as u8;
            // Relaxed order and no snoop are on, and ASPM.
            (config[EXPRESS], config[EXPRESS + 8], config[EXPRESS + 9], config[EXPRESS + 16]) = (0x10, 0x10, 0x28, 3);
        }
        let mut card = Card {
            part, faults, config, registers: HashMap::new(), sram: HashMap::new(), config_address: 0, now: 0, reset_until: 0, boot_at: None, ready: true,
            resets: 0, buffers: 0, returns: 0, sends: 0, tag: 0, inta: true, interrupts: 0, sent: Vec::new(), received: 0, dropped: 0,
            doorbells: 0, updates: 0, untold: 0, bmcr: 0x1800, latched_down: true, link: false, aux: GIGABIT << 8, link_at: None, negotiations: 0,
            phy_registers: HashMap::from([(4, 0x0061), (9, 0)]), falls_at_the_end: false,
        };
        card.registers.insert(0x0454, 1 << 4);
        let high = u16::from_be_bytes([MAC[0], MAC[1]]) as u32;
        let low = u32::from_be_bytes([MAC[2], MAC[3], MAC[4], MAC[5]]);
        match faults.address {
            Address::Memory if !part.fast => card.sram.extend([(0x0C14, 0x484B_0000 | high), (0x0C18, low)]),
            Address::Memory | Address::Registers => card.registers.extend([(0x0410, high), (0x0414, low)]),
            Address::Nvram | Address::Nowhere => {}
        }
        card
    }

    pub fn of(&self, register: u16) -> u32 {
        self.registers.get(&register).copied().unwrap_or(0)
    }

    /// Doorbells of the transmitter so far.
    pub fn doorbells(&self) -> u32 {
        self.doorbells
    }

    /// Writes of the status block so far.
    pub fn updates(&self) -> u32 {
        self.updates
    }

    fn sram(&self, at: u16) -> u32 {
        self.sram.get(&at).copied().unwrap_or(0)
    }

    fn config32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.config[at..at + 4].try_into().unwrap())
    }

    fn set_config32(&mut self, at: usize, value: u32) {
        self.config[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn masters(&self) -> bool {
        self.config[4] & 4 != 0
    }

    fn set_inta(&mut self, env: &mut dyn Env, on: bool) {
        if !on && std::mem::take(&mut self.falls_at_the_end) {
            self.set_link_now(env, false);
        }
        let on = on && self.config[0x68] & 2 == 0;
        self.interrupts += (on && !self.inta) as u32;
        self.inta = on;
        env.set_irq(on);
    }

    fn mailbox(&self, memory: u16) -> u16 {
        if self.part.fast { memory + 0x5600 } else { memory }
    }

    /// Reads a register of configuration space.
    fn config_read(&mut self, env: &mut dyn Env, at: usize) -> u32 {
        match at {
            0x80 => {
                let register = self.config32(0x78) as u16;
                if self.config[0x68] & 0x80 == 0 {
                    env.complain("the window is not open");
                }
                self.get(env, register)
            }
            0x84 => {
                self.check_sram(env);
                self.sram(self.config32(0x7C) as u16)
            }
            _ => self.config32(at),
        }
    }

    fn config_write(&mut self, env: &mut dyn Env, at: usize, value: u32) {
        match at {
            0x04 => {
                self.config[4] = value as u8 & 7;
                self.config[5] = (value >> 8) as u8 & 4;
            }
            0x0C | 0x3C | 0x6C | 0x78 | 0x7C => self.set_config32(at, value),
            0x10 => {}
            0x68 => {
                let chip = self.config32(0x68) & 0xFFFF_0000;
                self.set_config32(at, chip | value & 0xFFFE);
                if value & 3 != 0 {
                    self.set_inta(env, false);
                }
            }
            0x80 => {
                let register = self.config32(0x78) as u16;
                if self.config[0x68] & 0x80 == 0 {
                    env.complain("the window is not open");
                }
                if matches!(register, 0x0200..=0x03FF) {
                    env.complain("the window does not reach the mailboxes");
                }
                self.put(env, register, value);
            }
            0x84 => {
                self.check_sram(env);
                self.sram.insert(self.config32(0x7C) as u16, value);
            }
            0x9C | 0xA4 | 0xAC if !self.part.newer && !self.part.fast => {
                self.put(env, [0x026C, 0x0284, 0x0304][(at - 0x9C) / 8], value);
            }
            _ if self.part.express && at == EXPRESS + 8 => self.set_config32(at, value & 0xFFFF),
            _ if self.part.express && at == EXPRESS + 16 => self.set_config32(at, value & 0xFFFF),
            _ => env.complain(&format!("configuration register {at:X}h is written")),
        }
    }

    fn check_sram(&self, env: &mut dyn Env) {
        let at = self.config32(0x7C);
        if at & 3 != 0 || at == 0 || self.part.fast && (0x0300..0x4000).contains(&at) {
            env.complain(&format!("no word of the card's memory is at {at:X}h"));
        }
    }

    fn get(&mut self, env: &mut dyn Env, register: u16) -> u32 {
        if self.now < self.reset_until {
            env.complain("a read during the reset");
        }
        match register {
            0x044C => self.of(register),
            0x0204 | 0x5804 => self.of(register),
            0x4400 if self.faults.manager => 0,
            0x5100 => (self.ready as u32) << 26,
            0x6804 => self.of(register) & !1 | self.faults.reset as u32,
            0x6808 => self.of(register) & !7 | self.inta as u32,
            0x7020 => if self.faults.nvram { 0 } else { (self.of(0x7020) & 1 << 1) << 8 },
            0x7000 => 1 << 3,
            0x7010 if self.faults.address == Address::Nvram => {
                let at = if self.part.fast { 0x10 } else { 0x7C };
                if self.of(0x7020) & 2 == 0 || self.of(0x7024) & 1 == 0 {
                    env.complain("the NVRAM without its lock or access");
                }
                match self.of(0x700C) {
                    first if first == at => u16::from_be_bytes([MAC[0], MAC[1]]) as u32,
                    rest if rest == at + 4 => u32::from_be_bytes([MAC[2], MAC[3], MAC[4], MAC[5]]),
                    _ => !0,
                }
            }
            0x4BE0 => 0xFFFF_0000,
            _ => self.of(register),
        }
    }

    fn put(&mut self, env: &mut dyn Env, register: u16, value: u32) {
        if register & 3 != 0 {
            env.complain("an odd register");
        }
        match register {
            0x6804 if value & 1 != 0 => self.reset(env, value),
            0x044C => self.mi(env, value),
            0x0404 => {
                self.registers.insert(register, self.of(register) & !value);
            }
            0x6808 => {
                self.registers.insert(register, value & !7);
                if value & 4 != 0 {
                    self.set_inta(env, true);
                }
            }
            0x7020 => {
                let lock = self.of(register);
                self.registers.insert(register, if value & 1 << 5 != 0 { lock & !2 } else { lock | value });
            }
            0x3C00 => {
                self.registers.insert(register, value & !8);
                if value & 8 != 0 {
                    self.update(env, false, true);
                }
            }
            0x045C | 0x4800 | 0x4C00 => {
                let more = value & !self.of(register) != 0;
                if self.of(register) & 2 != 0 && more {
                    env.complain(&format!("register {register:X}h gets more after it was switched on: {value:X}"));
                }
                self.registers.insert(register, value);
            }
            _ if register == self.mailbox(0x0204) => {
                self.registers.insert(register, value);
                self.set_inta(env, false);
            }
            _ if register == self.mailbox(0x0304) => {
                self.doorbells += 1;
                if self.faults.doorbell != Some(self.doorbells) {
                    self.registers.insert(register, value);
                    self.send(env);
                }
            }
            _ => {
                self.registers.insert(register, value);
            }
        }
    }

    fn reset(&mut self, env: &mut dyn Env, value: u32) {
        if value >> 1 & 0x7F != 65 {
            env.complain("a reset without the prescaler");
        }
        if self.part.express && self.part.chip != 0x4000 && value & 1 << 29 == 0 {
            env.complain("the link of PCI Express goes down");
        }
        // The 5906's boot code runs again only if its processor is reset, too.
        let boots = !self.faults.boot && (!self.part.fast || self.of(0x5100) & 1 << 27 != 0);
        let kept: Vec<(u16, u32)> = [0x0410, 0x0414].map(|at| (at, self.of(at))).to_vec();
        self.registers = HashMap::from_iter(kept);
        self.registers.insert(0x0454, 1 << 4);
        // What boot code leaves.
        self.registers.insert(0x0464, 0x0700_2620);
        self.set_config32(0x68, self.config32(0x68) & 0xFFFF_0000);
        (self.config[4], self.config[0x0C]) = (0, 0);
        (self.buffers, self.returns, self.sends) = (0, 0, 0);
        self.set_inta(env, false);
        self.reset_until = self.now + RESET_NS;
        self.boot_at = boots.then_some(self.now + BOOT_NS);
        self.ready = false;
        self.resets += 1;
    }

    fn on(&self, blocks: &[u16]) -> bool {
        blocks.iter().all(|block| self.of(*block) & 2 != 0)
    }

    /// The link is up, and the MAC has its speed and duplex.
    fn speaks(&self) -> bool {
        let code = self.aux >> 8 & 7;
        let gigabit = code >= 6;
        let full = if code == 0 { self.aux & 1 != 0 } else { matches!(code, 2 | 5 | 7) };
        let mode = self.of(0x0400);
        self.link && mode >> 2 & 3 == if gigabit { 2 } else { 1 } && mode & 2 == if full { 0 } else { 2 } && mode >> 21 & 7 == 7
    }

    fn word(&self, env: &mut dyn Env, at: u32) -> u32 {
        let mut bytes = [0; 4];
        env.dma_read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Writes the status block.
    fn update(&mut self, env: &mut dyn Env, link: bool, interrupt: bool) {
        if self.of(0x3C00) & 0x182 != 0x102 || !self.masters() {
            return;
        }
        let at = self.of(0x3C3C);
        if at & 63 != 0 || self.of(0x3C38) != 0 {
            env.complain("a status block at no multiple of 64");
        }
        self.tag += 1;
        self.updates += 1;
        self.untold = 0;
        if self.faults.update == Some(self.updates) {
            return;
        }
        let link = if link || self.of(0x0404) & self.of(0x0408) & 1 << 12 != 0 { 2 } else { 0 };
        env.dma_write(at, &(1u32 | link).to_le_bytes());
        env.dma_write(at + 4, &self.tag.to_le_bytes());
        env.dma_write(at + 0x10, &(self.returns | self.sends << 16).to_le_bytes());
        if interrupt && self.of(self.mailbox(0x0204)) == 0 {
            self.set_inta(env, true);
        }
    }

    fn send(&mut self, env: &mut dyn Env) {
        let length = self.sram(0x0108) >> 16;
        if !self.on(&[0x0C00, 0x1000, 0x1400, 0x1800, 0x1C00, 0x4800, 0x4400, 0x4000, 0x045C]) || length == 0 || !self.speaks() {
            return;
        }
        if self.of(0x6804) & 0xFE != 65 << 1 {
            env.complain("the clock's prescaler is not 65");
        }
        if self.sram(0x010C) != 0x4000 || self.sram(0x0104) & 63 != 0 {
            env.complain("the ring of frames to send is at no place");
        }
        let end = self.of(self.mailbox(0x0304));
        while self.sends != end {
            let desc = self.sram(0x0104) + self.sends * 16;
            let [high, low, state] = [0, 4, 8].map(|offset| self.word(env, desc + offset));
            if high != 0 || state & 0xFFFF != 4 || !(60..=1514).contains(&(state >> 16)) {
                env.complain(&format!("a transmit descriptor makes no sense: {state:X}"));
            }
            let mut frame = vec![0; (state >> 16) as usize];
            env.dma_read(low, &mut frame);
            self.sent.push(frame);
            self.untold += 1;
            self.sends = (self.sends + 1) % length;
        }
        if self.of(0x6800) & 1 << 13 != 0 {
            env.complain("frames that were sent do not interrupt: whether one that comes meanwhile does is not known");
        }
        let most = self.of(0x3C14);
        if most != 0 && self.untold >= most {
            self.update(env, false, true);
        }
    }

    /// An access to the PHY.
    fn mi(&mut self, env: &mut dyn Env, value: u32) {
        if self.of(0x0454) & 1 << 4 != 0 {
            env.complain("the MAC reads the PHY by itself");
        }
        let register = value >> 16 & 31;
        let mut answer = value & !(1 << 29);
        if self.faults.phy {
            answer |= 1 << 29;
        } else if value >> 21 & 31 != self.part.phy {
            answer |= 1 << 28 | 0xFFFF;
        } else if value & 1 << 26 != 0 {
            let data = value as u16;
            self.phy_registers.insert(register, data);
            if register == 0 {
                self.bmcr = data & !0x8200;
                self.negotiate();
            }
        } else {
            let data = match register {
                0 => self.bmcr,
                1 => {
                    let up = self.link && !self.latched_down;
                    self.latched_down = !self.link;
                    0x7949 | (up as u16) << 2
                }
                0x19 => if self.link { self.aux } else { 0 },
                _ => self.phy_registers.get(&register).copied().unwrap_or(0),
            };
            answer = answer & 0xFFFF_0000 | data as u32;
        }
        self.registers.insert(0x044C, answer);
    }

    fn negotiate(&mut self) {
        self.link = false;
        self.latched_down = true;
        if self.bmcr & 0x1C00 == 0x1000 {
            self.negotiations += 1;
            self.link_at = Some(self.now + NEGOTIATION_NS);
        }
    }

    /// The PHY's link changes.
    pub fn set_link_now(&mut self, env: &mut dyn Env, up: bool) {
        self.link = up;
        self.latched_down |= !up;
        self.registers.insert(0x0404, self.of(0x0404) | 1 << 12);
        if self.of(0x0408) & 1 << 12 != 0 && self.of(0x6800) & 1 << 26 != 0 {
            self.update(env, true, true);
        }
        self.send(env);
    }

    fn accepts(&self, to: &[u8]) -> bool {
        let is = |entry: u16| {
            let [high, low] = [0, 4].map(|half| self.of(0x0410 + entry * 8 + half));
            high.to_be_bytes()[2..] == to[..2] && low.to_be_bytes() == to[2..6]
        };
        if self.of(0x0468) & 1 << 8 != 0 || to == [0xFF; 6] || (0..4).any(is) {
            return true;
        }
        let mut crc = !0u32;
        for bit in to.iter().flat_map(|byte| (0..8).map(move |bit| u32::from(byte >> bit & 1))) {
            crc = if (crc ^ bit) & 1 != 0 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
        let hash = crc & 0x7F;
        to[0] & 1 != 0 && self.of(0x0470 + (hash >> 5 << 2) as u16) >> (hash & 31) & 1 != 0
    }

    /// A frame arrives; `error`: the error word, 0: none.
    pub fn arrive(&mut self, env: &mut dyn Env, frame: &[u8], error: u32) -> bool {
        let blocks = [0x2000, 0x2400, 0x2800, 0x2C00, 0x3000, 0x4C00, 0x4400, 0x4000, 0x0468];
        if !self.speaks() || !self.on(&blocks) || !self.masters() || !self.accepts(&frame[..6]) {
            return false;
        }
        let posted = self.of(self.mailbox(0x026C));
        let length = self.of(0x2458) >> 16;
        if self.part.newer != (self.of(0x2458) & 0xFFFF != 0) || !(32..=512).contains(&length) || self.of(0x2454) & 63 != 0 {
            env.complain("the ring of receive buffers makes no sense");
        }
        if self.buffers == posted || self.of(0x2C18) > (posted.wrapping_sub(self.buffers) & (length - 1)).max(8) {
            self.dropped += 1;
            return false;
        }
        let desc = self.of(0x2454) + self.buffers * 32;
        let words: Vec<u32> = (0..4).map(|word| self.word(env, desc + word * 4)).collect();
        let size = words[2] & 0xFFFF;
        if words[0] != 0 || words[2] >> 16 != self.buffers || words[3] != 4 || (size as usize) < frame.len() + 4 {
            env.complain(&format!("a receive descriptor makes no sense: {words:X?}"));
        }
        env.dma_write(words[1], frame);
        env.dma_write(words[1] + frame.len() as u32, &[0xC4; 4]);
        let count = self.sram(0x0208) >> 16;
        if self.sram(0x0204) & 63 != 0 || count != length {
            env.complain("the return ring makes no sense");
        }
        let next = (self.returns + 1) % count;
        if next == self.of(self.mailbox(0x0284)) {
            env.complain("the return ring is full");
        }
        let back = self.sram(0x0204) + self.returns * 32;
        let flags = 4 | if error != 0 { 0x400 } else { 0 };
        let answer = [0, words[1], words[2] & 0xFFFF_0000 | frame.len() as u32 + 4, flags, 0xABCD_1234, error << 16, 0, 0];
        for (index, word) in answer.into_iter().enumerate() {
            env.dma_write(back + index as u32 * 4, &word.to_le_bytes());
        }
        self.buffers = (self.buffers + 1) % length;
        self.returns = next;
        self.received += 1;
        self.update(env, false, true);
        true
    }

    fn pass(&mut self, env: &mut dyn Env) {
        self.now = env.now_ns();
        if self.boot_at.is_some_and(|at| self.now >= at) {
            self.boot_at = None;
            self.ready = true;
            if self.sram(0x0B50) == MAGIC {
                self.sram.insert(0x0B50, !MAGIC);
            }
        }
        if self.link_at.is_some_and(|at| self.now >= at) {
            self.link_at = None;
            self.set_link_now(env, true);
        }
    }
}

/// The card's registers in memory.
pub struct Registers(pub Rc<RefCell<Card>>);
/// The ports of configuration space.
pub struct Config(pub Rc<RefCell<Card>>);

impl Model for Registers {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        assert_eq!(width, 4, "registers have 32 bits");
        let mut card = self.0.borrow_mut();
        if card.config[4] & 2 == 0 { !0 } else { card.get(env, offset) }
    }
    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        assert_eq!(width, 4, "registers have 32 bits");
        let mut card = self.0.borrow_mut();
        if card.config[4] & 2 != 0 {
            card.put(env, offset, value);
        }
    }
    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.0.borrow_mut().arrive(env, frame, 0)
    }
    fn poll(&mut self, env: &mut dyn Env) {
        self.0.borrow_mut().pass(env);
    }
    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.0.borrow_mut().set_link_now(env, up);
    }
    fn hard_reset(&mut self, _: &mut dyn Env) {}
}

impl Model for Config {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        assert_eq!(width, 4);
        let mut card = self.0.borrow_mut();
        let address = card.config_address;
        match offset {
            0 => address,
            _ if address >> 31 != 0 && (address >> 8) as u16 == super::SLOT => card.config_read(env, address as usize & 0xFC),
            _ => !0,
        }
    }
    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        assert_eq!(width, 4);
        let mut card = self.0.borrow_mut();
        let address = card.config_address;
        match offset {
            0 => card.config_address = value,
            _ if address >> 31 != 0 && (address >> 8) as u16 == super::SLOT => card.config_write(env, address as usize & 0xFC, value),
            _ => {}
        }
    }
    fn receive(&mut self, _: &mut dyn Env, _: &[u8]) -> bool {
        false
    }
    fn poll(&mut self, _: &mut dyn Env) {}
    fn set_link(&mut self, _: &mut dyn Env, _: bool) {}
    fn hard_reset(&mut self, _: &mut dyn Env) {}
}
