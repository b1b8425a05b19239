//! NE1000 and NE2000: a DP8390D, 8 or 16 KB of RAM, an address PROM and a data port.
//!
//! Written from National Semiconductor's DP8390D data sheet (July 1995) and the NE2000's well known card logic: ports
//! 10h to 17h are the data port, 18h to 1Fh the reset.

use crate::{Env, Model};

/// Nanoseconds for a byte on the wire.
const BYTE_NS: u64 = 800;
/// Preamble, check sequence and gap, in bytes.
const OVERHEAD: u64 = 8 + 4 + 12;
/// How long after a stop the receiver may be started again when the ring had overflowed.
const SETTLE_NS: u64 = 1_600_000;
/// How long a reset pulse takes to show.
const RESET_NS: u64 = 1_500;

/// Interrupt status bits.
mod isr {
    pub const RECEIVED: u8 = 0x01;
    pub const SENT: u8 = 0x02;
    pub const RX_ERROR: u8 = 0x04;
    pub const TX_ERROR: u8 = 0x08;
    pub const OVERFLOW: u8 = 0x10;
    pub const COUNTERS: u8 = 0x20;
    pub const DMA_DONE: u8 = 0x40;
    pub const RESET: u8 = 0x80;
}

/// What is built into the card.
#[derive(Clone, Debug)]
pub struct Options {
    /// In a 16-bit slot: word transfers work.
    pub wide: bool,
    /// First byte of RAM.
    pub ram_at: u16,
    /// Bytes of RAM.
    pub ram: u16,
    /// Station address.
    pub mac: [u8; 6],
    /// The PROM shows each byte twice.
    pub doubled: bool,
}

impl Options {
    /// A 16-bit card with 16 KB.
    pub fn ne2000(mac: [u8; 6]) -> Options {
        Options { wide: true, ram_at: 0x4000, ram: 0x4000, mac, doubled: true }
    }

    /// An 8-bit card with 8 KB.
    pub fn ne1000(mac: [u8; 6]) -> Options {
        Options { wide: false, ram_at: 0x2000, ram: 0x2000, mac, doubled: false }
    }

    /// A 16-bit card's clone in an 8-bit slot.
    pub fn narrow_ne2000(mac: [u8; 6]) -> Options {
        Options { wide: false, ram_at: 0x4000, ram: 0x4000, mac, doubled: true }
    }
}

/// What goes wrong with a transmission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TxFault {
    /// Nothing.
    #[default]
    None,
    /// It ends without a cause in the interrupt status.
    Silent,
    /// Sixteen collisions.
    Aborted,
    /// It never ends.
    Stuck,
}

/// What is wrong with the card.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every read gives ones: the card is gone.
    pub absent: bool,
    /// Remote DMA never completes.
    pub dma_dead: bool,
    /// What becomes of transmissions.
    pub tx: TxFault,
    /// A stop cuts a transmission off.
    pub stop_aborts: bool,
    /// Header to put in front of the next frame that is received.
    pub header: Option<[u8; 4]>,
    /// Lifting the interrupt mask raises nothing, only a new event does (as in DOSBox-X).
    pub masks_hide: bool,
    /// The transmit command never reads as set (as in DOSBox-X).
    pub txp_hidden: bool,
}

struct Dma {
    write: bool,
    at: u16,
    left: u16,
}

struct Tx {
    frame: Vec<u8>,
    ends: u64,
}

/// The card.
pub struct Ne2000 {
    options: Options,
    /// To be set by tests at any time.
    pub faults: Faults,
    ram: Vec<u8>,
    page: u8,
    dma_bits: u8,
    running: bool,
    /// When the last stop takes effect.
    stopped_at: u64,
    stop_written: u64,
    isr: u8,
    imr: u8,
    rcr: u8,
    tcr: u8,
    dcr: u8,
    tsr: u8,
    pstart: u8,
    pstop: u8,
    bnry: u8,
    curr: u8,
    tpsr: u8,
    tbcr: u16,
    rsar: u16,
    rbcr: u16,
    par: [u8; 6],
    mar: [u8; 8],
    tally: [u8; 3],
    dma: Option<Dma>,
    tx: Option<Tx>,
    /// The ring was full and the overflow routine has not been gone through.
    overflowed: bool,
    in_reset: bool,
    /// Causes that were there when the line was last looked at.
    seen: u8,
}

/// The filter bit of a multicast address: from the reflected CRC-32 that Ethernet's check sequence is made with,
/// its six low bits turned round.
pub fn filter_bit(address: &[u8]) -> u8 {
    let crc = address.iter().take(6).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ *byte as u32, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    (0..6).fold(0, |bits, bit| bits << 1 | (crc >> bit & 1) as u8)
}

impl Ne2000 {
    /// A card after power-on.
    pub fn new(options: Options) -> Ne2000 {
        let ram = vec![0xE5; options.ram as usize];
        Ne2000 {
            options,
            faults: Faults::default(),
            ram,
            page: 0,
            dma_bits: 4,
            running: false,
            stopped_at: 0,
            stop_written: 0,
            isr: isr::RESET,
            imr: 0,
            rcr: 0,
            tcr: 0,
            dcr: 4,
            tsr: 0,
            pstart: 0,
            pstop: 0,
            bnry: 0,
            curr: 0,
            tpsr: 0,
            tbcr: 0,
            rsar: 0,
            rbcr: 0,
            par: [0; 6],
            mar: [0; 8],
            tally: [0; 3],
            dma: None,
            tx: None,
            overflowed: false,
            in_reset: false,
            seen: 0,
        }
    }

    /// The card's RAM, for tests that spoil it.
    pub fn ram_mut(&mut self) -> &mut [u8] {
        &mut self.ram
    }

    /// The page that the next frame goes to.
    pub fn set_curr(&mut self, page: u8) {
        self.curr = page;
    }

    /// Whether the receiver is started and not in loopback.
    pub fn listening(&self) -> bool {
        self.running && self.tcr & 6 == 0 && !self.overflowed
    }

    /// A frame that the wire damaged arrives.
    pub fn receive_damaged(&mut self, env: &mut dyn Env, frame: &[u8]) {
        self.poll(env);
        if self.listening() && self.wanted(frame) {
            if self.rcr & 1 != 0 {
                env.complain("frames with errors are to be kept");
            }
            self.count(1);
            self.isr |= isr::RX_ERROR;
            self.drive(env);
        }
    }

    fn drive(&mut self, env: &mut dyn Env) {
        let causes = self.isr & self.imr & 0x7F;
        if causes == 0 || !self.faults.masks_hide || causes & !self.seen != 0 {
            env.set_irq(causes != 0);
        }
        self.seen = self.isr;
    }

    fn count(&mut self, which: usize) {
        self.tally[which] = self.tally[which].saturating_add(1);
        if self.tally.iter().any(|count| count & 0x80 != 0) {
            self.isr |= isr::COUNTERS;
        }
    }

    fn reset(&mut self, env: &mut dyn Env) {
        self.in_reset = true;
        self.page = 0;
        self.dma_bits = 4;
        self.running = false;
        self.overflowed = false;
        self.stop_written = env.now_ns();
        self.stopped_at = env.now_ns() + RESET_NS;
        self.imr = 0;
        self.tcr &= !6;
        self.dcr |= 4;
        self.dma = None;
        self.tx = None;
    }

    fn ring_has(&self, page: u8) -> bool {
        (self.pstart..self.pstop).contains(&page)
    }

    fn ram_index(&self, at: u16) -> Option<usize> {
        let index = at.checked_sub(self.options.ram_at)? as usize;
        (index < self.ram.len()).then_some(index)
    }

    fn command(&mut self, env: &mut dyn Env, value: u8) {
        let (page, dma, stop, start, send) = (value >> 6, value >> 3 & 7, value & 1 != 0, value & 2 != 0, value & 4 != 0);
        if page == 3 {
            env.complain("page 3 does not exist");
        }
        if dma == 0 {
            env.complain("command without a remote DMA code");
        }
        if stop && start {
            env.complain("start and stop at once");
        }
        self.page = page;
        if stop {
            if self.running {
                self.running = false;
                self.stop_written = env.now_ns();
                self.stopped_at = env.now_ns();
                if self.faults.stop_aborts {
                    self.tx = None;
                } else if let Some(tx) = &self.tx {
                    self.stopped_at = tx.ends.min(env.now_ns() + SETTLE_NS);
                }
            }
        } else if start && !self.running {
            self.begin(env);
        }
        self.start_dma(env, dma);
        if send {
            self.transmit(env);
        }
    }

    fn begin(&mut self, env: &mut dyn Env) {
        if self.in_reset {
            env.complain("started in the middle of a reset pulse");
        }
        let top = self.options.ram_at as u32 + self.ram.len() as u32;
        let probing = self.tcr & 6 != 0;
        if self.pstart >= self.pstop || !self.ring_has(self.bnry) || !self.ring_has(self.curr) {
            env.complain("started with a ring that makes no sense");
        }
        if !probing && (((self.pstart as u32) << 8) < self.options.ram_at as u32 || (self.pstop as u32) << 8 > top) {
            env.complain("started with a ring outside the RAM");
        }
        if self.rbcr != 0 && self.dma.is_some() {
            env.complain("started with remote DMA under way");
        }
        if self.overflowed {
            if env.now_ns() - self.stop_written < SETTLE_NS {
                env.complain("started less than 1.6 ms after the stop that an overflow wants");
            }
            if !probing {
                env.complain("started after an overflow without loopback");
            }
            self.overflowed = false;
        }
        self.running = true;
        self.isr &= !isr::RESET;
    }

    fn start_dma(&mut self, env: &mut dyn Env, code: u8) {
        self.dma_bits = code;
        if code & 4 != 0 {
            self.dma = None;
            return;
        }
        let write = match code {
            1 => false,
            2 => true,
            _ => return env.complain("the send packet command is of no use on this card"),
        };
        if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
            env.complain("remote DMA begun while another is under way");
        }
        if self.rbcr == 0 {
            env.complain("remote DMA of no bytes");
        }
        // Odd counts are usual for reading: the last word is taken whole, half of it counts.
        if self.dcr & 1 != 0 && (self.rsar & 1 != 0 || write && self.rbcr & 1 != 0) {
            env.complain("odd remote DMA in word mode");
        }
        self.dma = Some(Dma { write, at: self.rsar, left: self.rbcr });
    }

    fn transmit(&mut self, env: &mut dyn Env) {
        if !self.running {
            env.complain("transmission while stopped");
        }
        if self.tcr & 6 != 0 {
            env.complain("transmission in loopback");
        }
        if self.tx.is_some() {
            // TXP written again during a transmission changes nothing, but no driver means that.
            return env.complain("transmission while one is under way");
        }
        if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
            env.complain("transmission of a frame that is not yet written");
        }
        if !(60..=1514).contains(&self.tbcr) {
            env.complain(&format!("transmission of {} bytes", self.tbcr));
        }
        let pages = self.tbcr.div_ceil(256) as u8;
        if (0..pages).any(|page| self.ring_has(self.tpsr.wrapping_add(page))) {
            env.complain("the frame to transmit lies in the receive ring");
        }
        let Some(first) = self.ram_index((self.tpsr as u16) << 8) else {
            return env.complain("the frame to transmit lies outside the RAM");
        };
        let Some(frame) = self.ram.get(first..first + self.tbcr as usize) else {
            return env.complain("the frame to transmit lies outside the RAM");
        };
        let ends = env.now_ns() + (frame.len() as u64 + OVERHEAD) * BYTE_NS;
        self.tsr = 0;
        self.tx = Some(Tx { frame: frame.to_vec(), ends });
    }

    fn data_byte(&mut self, env: &mut dyn Env, write: Option<u8>) -> u8 {
        let Some(dma) = &mut self.dma else {
            env.complain("data port without remote DMA");
            return 0xFF;
        };
        if dma.write != write.is_some() {
            env.complain("data port in the wrong direction");
        }
        if dma.left == 0 {
            env.complain("data port past the end of remote DMA");
            return 0xFF;
        }
        let at = dma.at;
        dma.left -= 1;
        dma.at = dma.at.wrapping_add(1);
        if dma.at == (self.pstop as u16) << 8 {
            dma.at = (self.pstart as u16) << 8;
        }
        if dma.left == 0 && !self.faults.dma_dead {
            self.isr |= isr::DMA_DONE;
        }
        let index = self.ram_index(at);
        let probing = !self.running || self.tcr & 6 != 0;
        match (write, index) {
            (Some(value), Some(index)) => {
                let page = (at >> 8) as u8;
                if !probing && self.ring_has(page) {
                    env.complain("write into the receive ring");
                }
                if self.tx.is_some() && page.wrapping_sub(self.tpsr) < 6 {
                    env.complain("write into the frame that is being transmitted");
                }
                self.ram[index] = value;
                value
            }
            (None, Some(index)) => self.ram[index],
            (None, None) if at < 0x20 => self.prom(at),
            _ => {
                if !probing {
                    env.complain(&format!("remote DMA at {at:04X}h, where there is no RAM"));
                }
                0xFF
            }
        }
    }

    fn prom(&self, at: u16) -> u8 {
        let mark = if self.options.doubled { 0x57 } else { 0x42 };
        let byte = if self.options.doubled { at as usize / 2 } else { at as usize & 0x0F };
        match byte {
            0..6 => self.options.mac[byte],
            14 | 15 => mark,
            _ => 0,
        }
    }

    fn data(&mut self, env: &mut dyn Env, width: u8, write: Option<u32>) -> u32 {
        let word_mode = self.dcr & 1 != 0;
        match (self.options.wide, word_mode, width) {
            (_, _, 4) => {
                env.complain("32-bit access to the data port");
                u32::MAX
            }
            // A word on an 8-bit bus is two bytes; word mode counts two for each, so a driver that tries finds out.
            (false, true, _) => {
                for byte in (0..width).flat_map(|byte| [byte; 2]) {
                    if self.dma.as_ref().is_some_and(|dma| dma.left != 0) {
                        self.data_byte(env, write.map(|value| (value >> (8 * byte)) as u8));
                    }
                }
                u32::MAX
            }
            (false, false, 2) => (0..2).fold(0, |word, byte| {
                word | (self.data_byte(env, write.map(|value| (value >> (8 * byte)) as u8)) as u32) << (8 * byte)
            }),
            (true, false, 2) => {
                env.complain("word access in byte mode");
                u32::MAX
            }
            (_, false, _) => self.data_byte(env, write.map(|value| value as u8)) as u32,
            (true, true, _) => {
                if width == 1 && write.is_some() {
                    env.complain("byte written in word mode");
                }
                let low = self.data_byte(env, write.map(|value| value as u8)) as u32;
                if write.is_none() && self.dma.as_ref().is_some_and(|dma| dma.left == 0) {
                    return low;
                }
                let high = self.data_byte(env, write.map(|value| (value >> 8) as u8)) as u32;
                if width == 1 { low } else { low | high << 8 }
            }
        }
    }

    fn wanted(&self, frame: &[u8]) -> bool {
        let rcr = self.rcr;
        match frame {
            _ if frame.len() < 60 && rcr & 2 == 0 => false,
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, ..] => rcr & 4 != 0,
            [first, ..] if first & 1 != 0 => {
                let bit = filter_bit(frame);
                rcr & 8 != 0 && self.mar[bit as usize / 8] & 1 << (bit % 8) != 0
            }
            _ => rcr & 0x10 != 0 || frame.starts_with(&self.par),
        }
    }

    fn store(&mut self, frame: &[u8]) -> bool {
        let size = self.pstop - self.pstart;
        let count = frame.len() as u16 + 4;
        let pages = (count + 4).div_ceil(256) as u8;
        let free = if self.bnry >= self.curr { self.bnry - self.curr } else { self.bnry + size - self.curr };
        if pages > free {
            return false;
        }
        let after = self.curr + pages;
        let next = if after >= self.pstop { after - size } else { after };
        let status = 1 | if frame[0] & 1 != 0 { 0x20 } else { 0 };
        let header = [status, next, count as u8, (count >> 8) as u8];
        let header = self.faults.header.take().unwrap_or(header);
        let mut at = (self.curr as u16) << 8;
        for byte in header.iter().chain(frame).chain(&[0xC3; 4]) {
            if let Some(index) = self.ram_index(at) {
                self.ram[index] = *byte;
            }
            at += 1;
            if at == (self.pstop as u16) << 8 {
                at = (self.pstart as u16) << 8;
            }
        }
        self.curr = next;
        true
    }

    fn read_register(&mut self, env: &mut dyn Env, register: u16) -> u8 {
        match (self.page, register) {
            (_, 0) => {
                let send = self.tx.is_some() && !self.faults.txp_hidden;
                self.page << 6 | self.dma_bits << 3 | (send as u8) << 2 | if self.running { 2 } else { 1 }
            }
            (0, 1 | 2) => 0,
            (0, 3) => self.bnry,
            (0, 4) => self.tsr,
            (0, 5) => 0,
            (0, 7) => self.isr,
            (0, 8 | 9) => {
                let at = self.dma.as_ref().map_or(self.rsar, |dma| dma.at);
                at.to_le_bytes()[register as usize - 8]
            }
            (0, 0xC) => 1,
            (0, 0xD..=0xF) => std::mem::take(&mut self.tally[register as usize - 0xD]),
            (1, 1..=6) => self.par[register as usize - 1],
            (1, 7) => self.curr,
            (1, 8..=0xF) => self.mar[register as usize - 8],
            (2, 1) => self.pstart,
            (2, 2) => self.pstop,
            (2, 4) => self.tpsr,
            (2, 0xC) => self.rcr,
            (2, 0xD) => self.tcr,
            (2, 0xE) => self.dcr,
            (2, 0xF) => self.imr,
            (page, register) => {
                env.complain(&format!("read of register {register:X}h of page {page}"));
                0xFF
            }
        }
    }

    fn write_register(&mut self, env: &mut dyn Env, register: u16, value: u8) {
        let quiet = |model: &Ne2000, env: &mut dyn Env| {
            if model.running {
                env.complain(&format!("register {register:X}h of page {} written while running", model.page));
            }
        };
        match (self.page, register) {
            (_, 0) => self.command(env, value),
            (0, 1) => {
                quiet(self, env);
                self.pstart = value;
            }
            (0, 2) => {
                quiet(self, env);
                self.pstop = value;
            }
            (0, 3) => {
                if self.running && !self.ring_has(value) {
                    env.complain(&format!("boundary {value:02X}h outside the ring"));
                }
                if self.running && self.overflowed {
                    env.complain("frames taken out of an overflowed ring that was not stopped");
                }
                self.bnry = value;
            }
            (0, 4..=6) => {
                if self.tx.is_some() {
                    env.complain("transmit registers written during a transmission");
                }
                let [low, high] = self.tbcr.to_le_bytes();
                match register {
                    4 => self.tpsr = value,
                    5 => self.tbcr = u16::from_le_bytes([value, high]),
                    _ => self.tbcr = u16::from_le_bytes([low, value]),
                }
            }
            (0, 7) => {
                if value & isr::OVERFLOW != 0 && self.overflowed && self.running {
                    env.complain("overflow acknowledged without a stop");
                }
                self.isr &= !(value & 0x7F);
            }
            (0, 8) => self.rsar = self.rsar & 0xFF00 | value as u16,
            (0, 9) => self.rsar = self.rsar & 0x00FF | (value as u16) << 8,
            (0, 0xA) => self.rbcr = self.rbcr & 0xFF00 | value as u16,
            (0, 0xB) => self.rbcr = self.rbcr & 0x00FF | (value as u16) << 8,
            (0, 0xC) => {
                if value & 0xC0 != 0 {
                    env.complain("reserved bits in the receive configuration");
                }
                self.rcr = value;
            }
            (0, 0xD) => {
                if value & !6 != 0 {
                    env.complain("transmit configuration that is for tests only");
                }
                self.tcr = value;
            }
            (0, 0xE) => {
                quiet(self, env);
                if value & 8 == 0 || value & 0x96 != 0 {
                    env.complain(&format!("data configuration {value:02X}h"));
                }
                self.dcr = value;
            }
            (0, 0xF) => {
                if value & 0x80 != 0 {
                    env.complain("reserved bit in the interrupt mask");
                }
                self.imr = value;
            }
            (1, 1..=6) => self.par[register as usize - 1] = value,
            (1, 7) => {
                quiet(self, env);
                self.curr = value;
            }
            (1, 8..=0xF) => self.mar[register as usize - 8] = value,
            (page, register) => env.complain(&format!("write of register {register:X}h of page {page}")),
        }
    }
}

impl Model for Ne2000 {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        self.poll(env);
        if self.faults.absent {
            return u32::MAX >> (32 - 8 * width);
        }
        let value = match offset {
            0x10..=0x17 => self.data(env, width, None),
            _ if width != 1 => {
                env.complain("register read other than by bytes");
                u32::MAX
            }
            0x18..=0x1F => {
                self.reset(env);
                0xFF
            }
            _ => self.read_register(env, offset) as u32,
        };
        self.drive(env);
        value
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        self.poll(env);
        if self.faults.absent {
            return;
        }
        match offset {
            0x10..=0x17 => {
                self.data(env, width, Some(value));
            }
            _ if width != 1 => env.complain("register written other than by bytes"),
            0x18..=0x1F => self.in_reset = false,
            _ => self.write_register(env, offset, value as u8),
        }
        self.drive(env);
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.poll(env);
        if self.faults.absent || !self.listening() || !self.wanted(frame) {
            return false;
        }
        let stored = if self.rcr & 0x20 != 0 {
            self.count(2);
            false
        } else if self.store(frame) {
            self.isr |= isr::RECEIVED;
            true
        } else {
            self.overflowed = true;
            self.isr |= isr::OVERFLOW | isr::RESET;
            self.count(2);
            false
        };
        self.drive(env);
        stored
    }

    fn poll(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if !self.running && now >= self.stopped_at {
            self.isr |= isr::RESET;
        }
        if self.faults.tx == TxFault::Stuck || self.tx.as_ref().is_none_or(|tx| now < tx.ends) {
            return;
        }
        let Some(tx) = self.tx.take() else { return };
        match self.faults.tx {
            TxFault::Aborted => {
                self.tsr = 8;
                self.isr |= isr::TX_ERROR;
            }
            TxFault::Silent => env.transmit(&tx.frame),
            TxFault::None | TxFault::Stuck => {
                env.transmit(&tx.frame);
                self.tsr = 1;
                self.isr |= isr::SENT;
            }
        }
        self.drive(env);
    }

    fn set_link(&mut self, _env: &mut dyn Env, _up: bool) {}

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.reset(env);
        self.in_reset = false;
        self.isr = isr::RESET;
        self.drive(env);
    }
}
