//! BCM57xx (NetXtreme, "tg3"): gigabit by Broadcom, the 5705's family and the 5717's.
//!
//! Sources: what several drivers agree on; no manual. The chip begins as its boot code leaves it: address loaded, link down and
//! negotiating, all blocks but the memory arbiter off, by option with its line high. A core reset takes 100 us, in which no register
//! answers; then the boot code runs, which answers the magic number in SRAM, holds the NVRAM's lock and loads the address.
//! Tested by Linux's tg3 and, on the 57780, its Broadcom PHY driver: identification, handover, NVRAM, PHY with its shadow registers,
//! rings, tagged status, the multicast table, link changes, checksums and segments asked for in descriptors, errors and how it
//! recovers. iPXE gets a file through all chips but the 5906 by the window in the configuration space alone, with untagged status
//! and without an interrupt. The 5788 has Linux use untagged status with interrupts.
//! Not tested by either: rings of fewer than 512 entries, buffers that are posted one at a time,
//! frames over several vectors or rings. That 78h does not reach mailboxes of high priority is by Linux, which uses the others
//! then; iPXE writes one of them. Sizes of FIFOs and all times are guesses.

mod blocks;
mod firmware;
mod mac;
mod mailbox;
mod nvram;
mod offload;
mod order;
mod part;
mod phy;
mod registers;
mod ring;
mod rx;
mod status;
mod tally;
mod tx;
mod window;

pub use part::*;

use crate::faults::{self, Faults};
use crate::{Env, Model};
use firmware::Firmware;
use mac::Mdio;
use nvram::Nvram;
use phy::Phy;
use rx::Rx;
use status::Status;
use std::collections::BTreeMap;
use tally::Tally;
use tx::Tx;

/// Nanoseconds of a core reset.
const RESET: u64 = 100_000;
/// Nanoseconds of a negotiation, if the options say nothing else.
const NEGOTIATION: u64 = 700_000_000;

/// How an earlier driver has left a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// No interrupt.
    Quiet,
    /// Its line is high.
    Interrupting,
}

/// Where the boot code puts the station address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Into the mailbox in SRAM and the MAC's registers.
    Both,
    /// Only into the MAC's registers.
    Registers,
    /// Nowhere: only the NVRAM has it.
    Nvram,
}

/// What a card is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The chip.
    pub part: Part,
    /// Its station address.
    pub mac: [u8; 6],
    /// Its faults.
    pub faults: Faults,
    /// Nanoseconds of a byte on the wire; None: those of the link's speed.
    pub wire: Option<u64>,
    /// Nanoseconds of a negotiation.
    pub negotiation: u64,
    /// The partner's highest speed in Mb/s.
    pub partner: u16,
    /// How an earlier driver has left it.
    pub left: Left,
    /// Where the boot code puts the address.
    pub address: Address,
}

impl Options {
    /// An ordinary card.
    pub fn new(part: Part, mac: [u8; 6]) -> Options {
        Options {
            part,
            mac,
            faults: Faults::none(),
            wire: None,
            negotiation: NEGOTIATION,
            partner: 1000,
            left: Left::Quiet,
            address: Address::Both,
        }
    }
}

/// The card.
pub struct Tg3 {
    options: Options,
    part: Part,
    /// Its faults.
    pub faults: Faults,
    /// Registers by their offset.
    file: BTreeMap<u16, u32>,
    /// Words of its memory by their address.
    sram: BTreeMap<u32, u32>,
    /// Registers of the configuration space.
    host_control: u32,
    dma_control: u32,
    clock_control: u32,
    register_base: u32,
    memory_base: u32,
    /// Registers of the second processor.
    ape: BTreeMap<u16, u32>,
    /// When the core reset ends.
    resetting: Option<u64>,
    /// When the buffer manager is ready.
    buffers_at: Option<u64>,
    firmware: Firmware,
    nvram: Nvram,
    mdio: Mdio,
    phy: Phy,
    /// When the link came up.
    link_since: u64,
    status: Status,
    tx: Tx,
    rx: Rx,
    tally: Tally,
    gone: bool,
}

impl Tg3 {
    /// A card after power-on.
    pub fn new(options: Options) -> Tg3 {
        let part = options.part;
        let spoilt = options.faults.planned(faults::Kind::BadChecksum);
        let mut card = Tg3 {
            part,
            faults: options.faults.clone(),
            file: BTreeMap::new(),
            sram: BTreeMap::new(),
            host_control: 0,
            dma_control: 0,
            clock_control: 0,
            register_base: 0,
            memory_base: 0,
            ape: BTreeMap::new(),
            resetting: None,
            buffers_at: None,
            firmware: Firmware::default(),
            nvram: Nvram::new(options.mac, part, spoilt),
            mdio: Mdio::default(),
            phy: Phy::new(part, options.negotiation, options.partner, 0),
            link_since: 0,
            status: Status::default(),
            tx: Tx::default(),
            rx: Rx::default(),
            tally: Tally::default(),
            gone: false,
            options,
        };
        card.power_on(0);
        card
    }

    /// As the boot code leaves it after power-on. Faults, and what the card has lost for good, stay.
    fn power_on(&mut self, now: u64) {
        self.sram.clear();
        self.file.clear();
        self.ape.clear();
        self.phy = Phy::new(self.part, self.options.negotiation, self.options.partner, now);
        self.after_reset();
        self.boot_code_ended();
        self.set(blocks::MARB, blocks::ENABLE);
        if self.options.left == Left::Interrupting {
            self.status.asserted = true;
        }
    }

    /// Registers as a core reset leaves them. SRAM, PHY and the clocks' management (CPMU) keep what they have.
    fn after_reset(&mut self) {
        self.file.retain(|at, _| (0x3600..0x3700).contains(at));
        // Boot code from its quick start; PCI Express with the settings of its version 1.0a.
        if self.part.late {
            self.set(registers::FASTBOOT, 0x1000);
        }
        if self.part.express.is_some() && !self.part.cpmu {
            self.set(registers::PHY_TEST, 0x60);
        }
        (self.host_control, self.dma_control, self.clock_control) = (0, 0, 0);
        (self.register_base, self.memory_base) = (0, 0);
        (self.resetting, self.buffers_at) = (None, None);
        self.firmware = Firmware::default();
        self.nvram.reset();
        self.mdio = Mdio::default();
        self.status = self.status.cleared();
        self.tx = Tx::default();
        self.rx = Rx::default();
        self.tally = Tally::default();
    }

    /// A register that keeps what is written.
    fn get(&self, at: u16) -> u32 {
        self.file.get(&at).copied().unwrap_or(0)
    }

    fn set(&mut self, at: u16, value: u32) {
        self.file.insert(at, value);
    }

    /// Nanoseconds of a byte on the wire.
    fn byte_time(&self) -> u64 {
        self.options.wire.unwrap_or(match self.phy.speed() {
            1000 => 8,
            100 => 80,
            _ => 800,
        })
    }

    /// Does what is due by now.
    fn advance(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if self.resetting.is_some_and(|at| at <= now) {
            self.resetting = None;
        }
        if self.buffers_at.take_if(|at| *at <= now).is_some() {
            let mode = self.get(blocks::BMAN);
            self.set(blocks::BMAN, mode | blocks::ENABLE);
        }
        self.firmware_due(env);
        self.nvram.advance(now);
        self.mdio_due(env);
        if self.phy.advance(now) {
            self.link_since = now;
            self.link_changed(env);
        }
        self.transmit_due(env);
        self.receive_due(env);
        self.coalesce(env);
        self.drive(env);
    }

    /// One register access: is the card still there?
    fn present(&mut self, env: &mut dyn Env) -> bool {
        if self.faults.strikes(faults::Kind::Vanish) {
            self.gone = true;
            self.drive(env);
        }
        !self.gone
    }
}

impl Model for Tg3 {
    fn read(&mut self, env: &mut dyn Env, offset: u16, width: u8) -> u32 {
        self.advance(env);
        let ones = u32::MAX >> (32 - 8 * width);
        if !self.present(env) || !self.whole(env, offset, width) || !self.answers(env, offset) {
            return ones;
        }
        self.load(env, offset)
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, width: u8, value: u32) {
        self.advance(env);
        if self.present(env) && self.whole(env, offset, width) && self.answers(env, offset) {
            self.store(env, offset, value);
            self.advance(env);
        }
    }

    fn read_bar(&mut self, env: &mut dyn Env, bar: u8, offset: u16, width: u8) -> u32 {
        match bar {
            0 => self.read(env, offset, width),
            2 => self.read_ape(offset),
            _ => 0,
        }
    }

    fn write_bar(&mut self, env: &mut dyn Env, bar: u8, offset: u16, width: u8, value: u32) {
        match bar {
            0 => self.write(env, offset, width, value),
            2 => self.write_ape(offset, value),
            _ => {}
        }
    }

    fn read_config(&mut self, env: &mut dyn Env, offset: u8, width: u8) -> Option<u32> {
        self.advance(env);
        self.config_read(env, offset, width)
    }

    fn write_config(&mut self, env: &mut dyn Env, offset: u8, width: u8, value: u32) -> bool {
        self.advance(env);
        let taken = self.config_write(env, offset, width, value);
        self.advance(env);
        taken
    }

    fn receive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        self.advance(env);
        let taken = self.phy.link() && !self.gone && self.resetting.is_none() && self.arrive(env, frame);
        self.advance(env);
        taken
    }

    fn poll(&mut self, env: &mut dyn Env) {
        self.advance(env);
    }

    fn wake_at(&self) -> Option<u64> {
        let reset = self.resetting.filter(|at| *at != u64::MAX);
        let own = [reset, self.buffers_at, self.firmware.wake_at(), self.nvram.wake_at(), self.mdio.wake_at()];
        let traffic = [self.phy.wake_at(), self.tx.event_at(), self.rx.event_at(), self.status_wake_at()];
        own.into_iter().chain(traffic).flatten().min()
    }

    fn wire_free(&self, now_ns: u64) -> bool {
        self.rx.wire_free(now_ns)
    }

    fn set_link(&mut self, env: &mut dyn Env, up: bool) {
        self.advance(env);
        if self.phy.set_cable(up, env.now_ns()) {
            self.link_changed(env);
        }
        self.drive(env);
    }

    fn hard_reset(&mut self, env: &mut dyn Env) {
        self.power_on(env.now_ns());
        self.drive(env);
    }
}
