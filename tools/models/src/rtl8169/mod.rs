//! RTL8169 and 8110 (PCI), 8168, 8111, 8101 and 8107 (PCI Express), 8125: gigabit and 2.5 Gb/s by Realtek.
//!
//! Sources: the RTL8169's manual (descriptors, alignment, padding), and what several drivers agree on for the later chips. The
//! chip begins as firmware leaves it: causes of an earlier driver's pending, the link down and negotiating, on the later ones
//! the FIFO in the firmware's hands and the receiver's gate closed, on the 8168C to F the PHY powered down.
//! Tested by Linux's r8169 and its `realtek` PHY driver: identification, windows, reset, handover of the FIFO, both rings,
//! the filter with its multicast table, link and its interrupts, the counters, checksums asked for in descriptors. The 8125D is
//! too young for that Linux. iPXE gets a file through all chips before the 8168G; it makes no pause between two accesses by PHYAR,
//! and does not pad on the 8168E-VL, of which the model complains. On the 8168G and later it finds no PHY.
//! Not tested by either: the EEPROM's lines, the timer, the software interrupt, frames over several receive buffers. The sizes of
//! the FIFOs and all times are guesses, about those of real chips.

mod eeprom;
mod offload;
mod part;
mod phy;
mod registers;
mod ring;
mod rx;
mod tally;
mod tx;
mod windows;

pub use part::*;

use crate::faults::{self, Faults};
use crate::{Env, Model};
use eeprom::Eeprom;
use phy::Phy;
use rx::Rx;
use std::collections::BTreeMap;
use tally::Tally;
use tx::Tx;
use windows::Windows;

/// Nanoseconds of a reset.
const RESET: u64 = 60_000;
/// Nanoseconds of a negotiation, if the options say nothing else.
const NEGOTIATION: u64 = 700_000_000;
/// Where the 8125 keeps its address a second time.
const BACKUP: u16 = 0x19E0;

/// Interrupt causes.
mod cause {
    pub const RX_OK: u32 = 1;
    pub const RX_ERROR: u32 = 1 << 1;
    pub const TX_OK: u32 = 1 << 2;
    pub const TX_ERROR: u32 = 1 << 3;
    pub const RX_NO_DESCRIPTOR: u32 = 1 << 4;
    pub const LINK: u32 = 1 << 5;
    pub const RX_FIFO: u32 = 1 << 6;
    pub const TX_IDLE: u32 = 1 << 7;
    pub const SOFTWARE: u32 = 1 << 8;
    pub const TIMER: u32 = 1 << 14;
    pub const BUS_ERROR: u32 = 1 << 15;
}

/// Bits of ChipCmd.
mod command {
    pub const TX: u8 = 1 << 2;
    pub const RX: u8 = 1 << 3;
    pub const RESET: u8 = 1 << 4;
    pub const STOP: u8 = 1 << 7;
}

/// How an earlier driver has left a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// With causes pending, and the mask closed.
    Quiet,
    /// With its interrupts enabled: the line is high.
    Interrupting,
    /// An 8125 with the new kind of interrupts chosen, by which its line stays low.
    Redirected,
    /// An 8168C that sleeps: it hears nothing until bit 0 of 6Eh is set.
    Asleep,
}

/// Properties of a card.
#[derive(Clone, Debug)]
pub struct Options {
    /// The chip.
    pub part: Part,
    /// Its address.
    pub mac: [u8; 6],
    /// Its faults.
    pub faults: Faults,
    /// Nanoseconds of a byte on the wire; None: as the link's speed says.
    pub wire: Option<u64>,
    /// Nanoseconds until the link is up.
    pub negotiation: u64,
    /// How an earlier driver has left it.
    pub left: Left,
}

impl Options {
    /// An ordinary card.
    pub fn new(part: Part, mac: [u8; 6]) -> Options {
        Options { part, mac, faults: Faults::none(), wire: None, negotiation: NEGOTIATION, left: Left::Quiet }
    }
}

/// The card.
pub struct Rtl8169 {
    options: Options,
    part: Part,
    /// Its faults.
    pub faults: Faults,
    /// Registers that only keep what is written.
    file: [u8; 256],
    high: BTreeMap<u16, u8>,
    windows: Windows,
    eeprom: Eeprom,
    station: [u8; 6],
    imr: u32,
    isr: u32,
    /// The cause for which the line was last high has not been acknowledged; the line stays low by a fault.
    wanted: bool,
    lost: bool,
    line: bool,
    command: u8,
    tx_config: u32,
    rx_config: u32,
    /// Neither engine works until a reset.
    stopped: bool,
    /// When the reset ends.
    resetting: Option<u64>,
    tx: Tx,
    rx: Rx,
    phy: Phy,
    tally: Tally,
    dump_low: u32,
    dump_at: Option<u64>,
    timer_since: u64,
    timer_at: Option<u64>,
    gone: bool,
    asleep: bool,
}

impl Rtl8169 {
    /// A card after power-on.
    pub fn new(options: Options) -> Rtl8169 {
        let (part, mac) = (options.part, options.mac);
        let spoilt = options.faults.planned(faults::Kind::BadChecksum);
        let mut card = Rtl8169 {
            part,
            faults: options.faults.clone(),
            file: [0; 256],
            high: BTreeMap::new(),
            windows: Windows::new(mac, part.managed()),
            eeprom: Eeprom::new(mac, spoilt),
            station: [0; 6],
            imr: 0,
            isr: 0,
            wanted: false,
            lost: false,
            line: false,
            command: 0,
            tx_config: 0,
            rx_config: 0,
            stopped: false,
            resetting: None,
            tx: Tx::default(),
            rx: Rx::default(),
            phy: Phy::new(part.phy, part.speed, options.negotiation, part.dozes, 0),
            tally: Tally::default(),
            dump_low: 0,
            dump_at: None,
            timer_since: 0,
            timer_at: None,
            gone: false,
            asleep: false,
            options,
        };
        card.power_on(0);
        card
    }

    /// As the firmware leaves it. Rings, the PHY's cable, faults and what the card has lost for good stay.
    fn power_on(&mut self, now: u64) {
        let Options { part, mac, .. } = self.options;
        self.file = [0; 256];
        // Configuration: power management on, both kinds of base address, message interrupts, ASPM and clock requests on.
        for (at, byte) in [(0x52, 0x0D), (0x53, 0xA0), (0x54, 0x20), (0x56, 0x03), (0xE1, 0x20)] {
            self.file[at] = byte;
        }
        self.file[0x34] = (self.options.left == Left::Redirected) as u8;
        self.asleep = self.options.left == Left::Asleep && part.xid & 0xFC8 == 0x3C0;
        self.windows = Windows::new(mac, part.managed());
        self.hand_to_firmware();
        self.high = (BACKUP..).zip(mac).collect();
        self.phy = Phy::new(part.phy, part.speed, self.options.negotiation, part.dozes, now);
        self.tally = Tally::default();
        self.after_reset();
        self.isr = cause::RX_OK | cause::TX_OK | cause::LINK;
        self.imr = if self.options.left == Left::Interrupting { cause::RX_OK | cause::LINK } else { 0 };
    }

    /// Back to what a reset by ChipCmd leaves.
    fn after_reset(&mut self) {
        let spoilt = self.faults.planned(faults::Kind::BadChecksum);
        self.station = if spoilt { [0; 6] } else { self.options.mac };
        (self.imr, self.isr, self.command, self.tx_config, self.rx_config) = (0, 0, 0, 0, 0);
        // Multicast table and largest frame.
        self.file[0x08..0x10].fill(0);
        self.file[0xDA..0xDC].fill(0);
        self.file[0x50] = 0;
        (self.stopped, self.resetting, self.dump_at, self.timer_at) = (false, None, None, None);
        self.tx = Tx::default();
        self.rx = Rx::default();
    }

    /// ChipCmd's reset.
    fn reset(&mut self, env: &mut dyn Env) {
        self.after_reset();
        let stuck = self.faults.strikes(faults::Kind::StuckCommand);
        self.resetting = Some(if stuck { u64::MAX } else { env.now_ns() + RESET });
    }

    /// Nanoseconds of a byte on the wire.
    fn byte_time(&self) -> u64 {
        self.options.wire.unwrap_or(match self.phy.speed() {
            2500 => 3,
            1000 => 8,
            100 => 80,
            _ => 800,
        })
    }

    /// Latches causes.
    fn raise(&mut self, env: &mut dyn Env, causes: u32) {
        self.isr |= causes;
        self.drive(env);
    }

    /// Drives the interrupt line.
    fn drive(&mut self, env: &mut dyn Env) {
        let new_kind = self.part.fourth() && self.file[0x34] & 1 != 0;
        let wanted = self.isr & self.imr != 0 && !new_kind && !self.gone;
        if wanted && !self.wanted {
            self.lost = self.faults.strikes(faults::Kind::LostInterrupt);
        }
        self.wanted = wanted;
        let line = wanted && !self.lost;
        if line != self.line {
            self.line = line;
            env.set_irq(line);
        }
    }

    /// Does what is due by now.
    fn advance(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if self.resetting.is_some_and(|at| at <= now) {
            self.resetting = None;
        }
        if self.phy.advance(now) {
            self.raise(env, cause::LINK);
        }
        if self.timer_at.take_if(|at| *at <= now).is_some() {
            self.raise(env, cause::TIMER);
        }
        if self.dump_at.take_if(|at| *at <= now).is_some() {
            if self.dump_low & 1 != 0 {
                self.tally = Tally::default();
            }
            if self.dump_low & 8 != 0 {
                self.tally.dump(env, self.dump_low & !0x3F);
            }
        }
        self.transmit_due(env);
        self.receive_due(env);
        self.drive(env);
    }

    /// One register access: is the card still there?
    fn present(&mut self, env: &mut dyn Env) -> bool {
        if self.faults.strikes(faults::Kind::Vanish) {
            self.gone = true;
            self.command = 0;
            self.drive(env);
        }
        !self.gone
    }
}

impl Model for Rtl8169 {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        self.advance(env);
        if !self.present(env) {
            return u32::MAX >> (32 - 8 * width);
        }
        let now = env.now_ns();
        (0..width as u16).fold(0, |word, at| word | (self.byte(offset + at, now) as u32) << (8 * at))
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        self.advance(env);
        if self.present(env) {
            self.store(env, offset, width, value);
            self.drive(env);
        }
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.advance(env);
        let taken = self.phy.link() && !self.gone && self.arrive(env, frame);
        self.drive(env);
        taken
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.advance(env);
    }

    fn wake_at(&self) -> Option<u64> {
        let reset = self.resetting.filter(|at| *at != u64::MAX);
        let running = self.command & command::RX != 0 && !self.stopped;
        let rx = self.rx.event_at().filter(|_| running);
        [self.tx.event_at(), rx, self.phy.wake_at(), reset, self.dump_at, self.timer_at].into_iter().flatten().min()
    }

    fn wire_free(&self, now_ns: u64) -> bool {
        self.rx.wire_free(now_ns)
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.advance(env);
        if self.phy.set_cable(up, env.now_ns()) {
            self.raise(env, cause::LINK);
        }
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.power_on(env.now_ns());
        self.drive(env);
    }
}
