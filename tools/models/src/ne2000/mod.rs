//! NE1000 and NE2000: a DP8390D, 8 or 16 KB of RAM, an address PROM and a data port.
//!
//! Written from National Semiconductor's DP8390D data sheet (July 1995) and the NE2000's card logic: ports 10h to 17h are the
//! data port, 18h to 1Fh the reset.

mod command;
mod data;
mod registers;

use crate::{Env, Model};

/// Nanoseconds for a byte on the wire.
const BYTE_NS: u64 = 800;
/// Preamble, check sequence and interframe gap, in bytes.
const OVERHEAD: u64 = 8 + 4 + 12;
/// Time after a stop before the receiver may be started again, after an overflow of the ring.
const SETTLE_NS: u64 = 1_600_000;
/// Time until a reset shows.
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

/// Properties of a card.
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

    /// A clone of the 16-bit card in an 8-bit slot.
    pub fn narrow_ne2000(mac: [u8; 6]) -> Options {
        Options { wide: false, ram_at: 0x4000, ram: 0x4000, mac, doubled: true }
    }
}

/// Fault of a transmission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TxFault {
    /// None.
    #[default]
    None,
    /// It ends without a cause in the interrupt status.
    Silent,
    /// Sixteen collisions.
    Aborted,
    /// It never ends.
    Stuck,
}

/// Faults of a card.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every read returns ones: the card is removed.
    pub absent: bool,
    /// Remote DMA never completes.
    pub dma_dead: bool,
    /// Fault of transmissions.
    pub tx: TxFault,
    /// A stop aborts a transmission.
    pub stop_aborts: bool,
    /// Replaces the header of the next received frame.
    pub header: Option<[u8; 4]>,
    /// An interrupt that was masked is lost: only a new event raises the line (as in DOSBox-X).
    pub masks_hide: bool,
    /// The transmit bit never reads as set (as in DOSBox-X).
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
    /// Tests may change them at any time.
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
    /// The ring was full, and the overflow routine has not been executed since.
    overflowed: bool,
    /// The driver has read that.
    told: bool,
    in_reset: bool,
    /// Causes at the last update of the line.
    seen: u8,
}

/// The filter bit of a multicast address: the six low bits of the reflected CRC-32 of Ethernet's check sequence, in reverse
/// order.
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
            told: false,
            in_reset: false,
            seen: 0,
        }
    }

    /// The card's RAM, which tests may change.
    pub fn ram_mut(&mut self) -> &mut [u8] {
        &mut self.ram
    }

    /// Sets the page for the next frame.
    pub fn set_curr(&mut self, page: u8) {
        self.curr = page;
    }

    /// Whether the receiver is started and not in loopback.
    pub fn listening(&self) -> bool {
        self.running && self.tcr & 6 == 0 && !self.overflowed
    }

    /// A frame arrives that was damaged on the wire.
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

    /// A frame that passed the filter is not stored: a receive error, which is counted.
    fn miss(&mut self) {
        self.count(2);
        self.isr |= isr::RX_ERROR;
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
        if self.faults.absent || !self.running || self.tcr & 6 != 0 || !self.wanted(frame) {
            return false;
        }
        // Monitor mode; or the ring was full before.
        let stored = if self.rcr & 0x20 != 0 || self.overflowed {
            self.miss();
            false
        } else if self.store(frame) {
            self.isr |= isr::RECEIVED;
            true
        } else {
            self.overflowed = true;
            self.told = false;
            self.isr |= isr::OVERFLOW | isr::RESET;
            self.miss();
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
