//! Shared by the EtherLink III family: eight windows of registers, a command and status register, two FIFOs, a stack of transmit
//! status, counters, and interrupts with a latch. The 3C509B, 3C515, 3C59x and 3C90x each wrap a [`Chip`] of their [`Kind`].
//!
//! Sources: the technical references of the 3C509B (09-0398-002B), the 3C59x (09-0681-001B) and the 3C90x/3C90xB
//! (89-0766-000), as cited elsewhere.
//! Tested by Linux's drivers: windows, commands, both FIFOs, latch and acknowledge, filter, counters, EEPROM reads, room for
//! transmission, list engines, MII reads, and recovery from transmit and receive errors on the 3C509B.
//! Not tested: thresholds for early receive and transmit, adapter failure, EEPROM writes, loopback; these follow the manuals
//! alone.

mod checksum;
pub mod command;
pub mod eeprom;
pub mod master;
pub mod mii;
pub mod rx;
pub mod stats;
pub mod tx;
pub mod wide;
pub mod windows;

use crate::Env;
use crate::faults::{self, Faults};
use eeprom::Eeprom;
use master::Master;
use mii::Phy;
use rx::Rx;
use stats::Stats;
use tx::Tx;
use wide::Wide;

/// The generation of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 3C509B: 16 ports, programmed I/O.
    El3,
    /// 3C515: ISA, lists of descriptors and single fragments, 100 Mb/s.
    Corkscrew,
    /// 3C590 and 3C595: PCI, single fragments.
    Vortex,
    /// 3C900 and 3C905: PCI, lists of descriptors.
    Boomerang,
    /// 3C900B, 3C905B and 3C905C: PCI, lists only, checksums.
    Cyclone,
}

/// Interrupt causes, as in the status register.
pub mod cause {
    /// The latch.
    pub const LATCH: u16 = 1;
    /// Adapter failure (host error on the PCI parts).
    pub const FAILURE: u16 = 1 << 1;
    /// There is a transmit status.
    pub const TX_COMPLETE: u16 = 1 << 2;
    /// The transmit FIFO has as much room as was requested.
    pub const TX_AVAILABLE: u16 = 1 << 3;
    /// A complete frame is in the receive FIFO.
    pub const RX_COMPLETE: u16 = 1 << 4;
    /// A frame has passed the receive early threshold.
    pub const RX_EARLY: u16 = 1 << 5;
    /// The driver asked for an interrupt.
    pub const REQUESTED: u16 = 1 << 6;
    /// A counter is half full.
    pub const UPDATE_STATS: u16 = 1 << 7;
    /// A fragment was moved (3C59x, 3C515).
    pub const DMA_DONE: u16 = 1 << 8;
    /// The link has changed (3C90xB).
    pub const LINK_EVENT: u16 = 1 << 8;
    /// A download has ended.
    pub const DOWN_COMPLETE: u16 = 1 << 9;
    /// An upload has ended.
    pub const UP_COMPLETE: u16 = 1 << 10;
    /// A command is in progress.
    pub const BUSY: u16 = 1 << 12;
}

/// Times of commands in nanoseconds. A driver must wait for the busy bit, however long they are.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// RX discard.
    pub discard: u64,
    /// TX reset and RX reset.
    pub reset: u64,
    /// Global reset.
    pub global: u64,
    /// A byte on the wire: 800 at 10 Mb/s, 80 at 100 Mb/s, 0: none.
    pub byte: u64,
}

impl Times {
    /// A 10 Mb/s chip. Linux gives the next command right after a reset or discard, which works on real chips: so they have ended
    /// at the next access.
    pub const TEN: Times = Times { discard: 1_000, reset: 1_000, global: 1_000_000, byte: 800 };
    /// A 100 Mb/s chip.
    pub const HUNDRED: Times = Times { byte: 80, ..Times::TEN };
}

/// A chip of the family.
pub struct Chip {
    /// Its generation.
    pub kind: Kind,
    /// Its times.
    pub times: Times,
    /// Its faults.
    pub faults: Faults,
    /// Its serial EEPROM.
    pub eeprom: Eeprom,
    /// Does the cable carry link pulses?
    pub link: bool,
    /// May the interrupt line be driven? On ISA the wrapper says so, by window and configuration control.
    pub line_enabled: bool,
    pub(crate) window: u8,
    pub(crate) causes: u16,
    pub(crate) latch: bool,
    line: bool,
    latched_at: u64,
    /// The latch was set without the line (a lost interrupt).
    line_lost: bool,
    pub(crate) int_mask: u16,
    pub(crate) read_zero: u16,
    pub(crate) busy_until: u64,
    pub(crate) tx: Tx,
    pub(crate) rx: Rx,
    pub(crate) stats: Stats,
    pub(crate) station: [u8; 12],
    pub(crate) config: u32,
    pub(crate) net_diagnostic: u16,
    pub(crate) media: u16,
    /// Media bits without which the chosen transceiver does not work.
    pub(crate) media_needed: u16,
    pub(crate) master: Master,
    /// On ISA: the DMA channel by which it asks for the bus.
    pub(crate) channel: u8,
    /// It has the bus all the same.
    pub(crate) unasked: bool,
    pub(crate) wide: Wide,
    /// The PHY behind the MII, where there is one.
    pub phy: Option<Phy>,
    gone: bool,
}

impl Chip {
    /// A chip after power-on.
    pub fn new(kind: Kind, times: Times, faults: Faults, mut eeprom: Eeprom, config: u32) -> Chip {
        if faults.planned(faults::Kind::BadChecksum) {
            eeprom.spoil();
        }
        let mut chip = Chip {
            kind,
            times,
            faults,
            eeprom,
            link: true,
            line_enabled: true,
            window: 0,
            causes: 0,
            latch: false,
            line: false,
            latched_at: 0,
            line_lost: false,
            int_mask: 0,
            read_zero: 0,
            busy_until: 0,
            tx: Tx::new(kind),
            rx: Rx::new(kind),
            stats: Stats::default(),
            station: [0; 12],
            config,
            net_diagnostic: 0,
            media: 0,
            media_needed: 0,
            master: Master::default(),
            channel: 4,
            unasked: kind != Kind::Corkscrew,
            wide: Wide::default(),
            phy: None,
            gone: false,
        };
        chip.configure();
        chip
    }

    /// Back to the state after power-on, but for what the wrapper keeps.
    pub fn power_on(&mut self, env: &mut dyn Env, config: u32) {
        self.window = 0;
        self.causes = 0;
        self.latch = false;
        self.int_mask = 0;
        self.read_zero = 0;
        self.tx = Tx::new(self.kind);
        self.rx = Rx::new(self.kind);
        self.stats = Stats::default();
        self.station = [0; 12];
        self.config = config;
        self.net_diagnostic = 0;
        self.media = 0;
        self.master = Master::default();
        self.wide = Wide { options: self.wide.options, ..Wide::default() };
        self.configure();
        self.drive(env);
    }

    /// Divides the RAM as internal config says: bits 2:0 its size, 17:16 transmit to receive. On the wide parts bits
    /// 23:20 choose the transceiver, and with it what the media register must enable.
    pub(crate) fn configure(&mut self) {
        let bytes = 8192u32 << (self.config & 7).min(4);
        let transmit = match self.config >> 16 & 3 {
            0 => bytes / 8 * 3,
            1 => bytes / 4,
            2 => bytes / 2,
            _ => bytes / 8 * 5,
        };
        self.tx.size = transmit as usize;
        self.rx.size = (bytes - transmit) as usize;
        if self.kind.wide() {
            self.media_needed = match self.config >> 20 & 0xF {
                0 => 0xC0,
                4 | 5 => 0x80,
                _ => 0,
            };
        }
    }

    /// The reset line: even a command that never ends is over.
    pub fn unstick(&mut self) {
        self.busy_until = 0;
    }

    /// One register access: is the card still there?
    pub(crate) fn present(&mut self) -> bool {
        self.gone |= self.faults.strikes(faults::Kind::Vanish);
        !self.gone
    }

    /// Does what is due by now, event by event in order of time.
    pub fn advance(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        // Each pass ends one event; a frame has at most a handful.
        while let Some(at) = self.next_event().filter(|at| *at <= now) {
            self.tx_event(env, at);
            self.rx_event(env, at);
            self.engines(env);
        }
        self.update(env);
    }

    /// When something next happens by itself.
    pub fn next_event(&self) -> Option<u64> {
        [self.tx.event_at(self.times.byte), self.rx.event_at(self.times.byte)].into_iter().flatten().min()
    }

    /// Derives the causes that follow from the state, and sets the latch and the line.
    pub(crate) fn update(&mut self, env: &mut dyn Env) {
        self.derive(cause::TX_COMPLETE, self.tx.status_pending());
        self.derive(cause::RX_COMPLETE, self.rx.complete(env.now_ns(), self.times.byte));
        if !self.kind.wide() {
            self.stats.narrow();
        }
        self.derive(cause::UPDATE_STATS, self.stats.half_full(self.kind));
        if self.tx.room_wanted() {
            self.causes |= cause::TX_AVAILABLE;
        }
        if !self.latch && self.causes & self.read_zero & self.int_mask & 0x7FE != 0 {
            self.latch = true;
            self.latched_at = env.now_ns();
            self.line_lost = self.faults.strikes(faults::Kind::LostInterrupt);
        }
        self.drive(env);
    }

    fn derive(&mut self, bit: u16, on: bool) {
        self.causes = self.causes & !bit | if on { bit } else { 0 };
    }

    /// Drives the interrupt line as the latch has it.
    pub(crate) fn drive(&mut self, env: &mut dyn Env) {
        let line = self.latch && self.line_enabled && !self.line_lost && !self.gone;
        if line != self.line {
            self.line = line;
            env.set_irq(line);
        }
    }

    /// The status register.
    pub(crate) fn status(&self, now: u64) -> u16 {
        (self.window as u16) << 13
            | if now < self.busy_until { cause::BUSY } else { 0 }
            | (self.in_progress() as u16) << 11
            | self.causes & self.read_zero & 0x7FE
            | self.latch as u16
    }

    /// The interrupt timer: steps of 3.2 microseconds since the latch was set.
    pub(crate) fn timer(&self, now: u64) -> u8 {
        if self.latch { ((now - self.latched_at) / 3_200).min(255) as u8 } else { 0 }
    }

    /// Raises adapter failure.
    pub(crate) fn fail(&mut self) {
        self.causes |= cause::FAILURE;
    }

    /// A frame arrives; see [`crate::Model::receive`].
    pub fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.advance(env);
        let taken = self.link_up() && !self.gone && self.accept(env, frame);
        self.engines(env);
        self.update(env);
        taken
    }

    /// The cable is plugged in or pulled out.
    pub fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.advance(env);
        self.link = up;
        if let Some(phy) = &mut self.phy {
            phy.set_link(up);
        }
        if self.kind == Kind::Cyclone {
            self.causes |= cause::LINK_EVENT;
        }
        self.update(env);
    }

    /// Do frames pass between the chip and the cable?
    pub(crate) fn link_up(&self) -> bool {
        self.link && self.phy.as_ref().is_none_or(Phy::link)
    }

    /// May a frame begin to arrive?
    pub fn wire_free(&self, now: u64) -> bool {
        self.rx.wire_free(now, self.times.byte)
    }
}
