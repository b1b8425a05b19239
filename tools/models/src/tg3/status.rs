//! Host coalescing: the status block in memory, the interrupt, its mailbox.
//!
//! An update while the mailbox is not 0 (the driver is at work) makes no interrupt. With tagged status the driver says by the
//! mailbox which update it has seen, and the chip interrupts at once if that was not the last. Without tags the update is seen only
//! by a driver that looks once more after it has written 0; Linux and FreeBSD do.

use super::{Tg3, blocks, mac, registers};
use crate::Env;
use crate::faults;

/// Registers of the coalescing engine.
pub const MODE: u16 = blocks::HCC;
const RX_TICKS: u16 = 0x3C08;
const TX_TICKS: u16 = 0x3C0C;
const RX_FRAMES: u16 = 0x3C10;
const TX_FRAMES: u16 = 0x3C14;
const RX_FRAMES_AT_WORK: u16 = 0x3C20;
const TX_FRAMES_AT_WORK: u16 = 0x3C24;
const ADDRESS_HIGH: u16 = 0x3C38;
const ADDRESS: u16 = 0x3C3C;
const STD_CONSUMER: u16 = 0x3C54;
const RETURN_PRODUCER: u16 = 0x3C80;
const SEND_CONSUMER: u16 = 0x3CC0;
/// MODE_CTL: no interrupt for frames that were sent, or that have come. The second is in 5718-PG108, page 259; the name of the first
/// in Linux's driver. The status block is written all the same: only the counts of frames and ticks decide about that (page 61).
const NO_SEND: u32 = 1 << 13;
const NO_RECEIVE: u32 = 1 << 14;
/// Mode: update now.
const NOW: u32 = 1 << 3;
/// Mode: bytes of the status block.
const SIZE: u32 = 3 << 7;
/// Words of the status block's status.
const UPDATED: u32 = 1;
const LINK: u32 = 1 << 1;
const ERROR: u32 = 1 << 2;
/// Nanoseconds until the engine is off.
const STOP: u64 = 20_000;

/// What the coalescing engine has to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    /// Of the last update.
    pub tag: u8,
    /// The interrupt is latched.
    pub asserted: bool,
    /// The mailbox is not 0.
    pub in_service: bool,
    /// The line stays low for this latching.
    lost: bool,
    line: bool,
    /// Frames that were not told yet, and since when.
    received: u32,
    received_since: u64,
    sent: u32,
    sent_since: u64,
    /// When the engine is off.
    off_at: Option<u64>,
}

impl Status {
    /// As after a reset; the line is driven later.
    pub fn cleared(self) -> Status {
        Status { line: self.line, ..Status::default() }
    }
}

/// The tag in the interrupt's mailbox.
pub fn tag_of(mailbox: u32) -> u8 {
    (mailbox >> 24) as u8
}

impl Tg3 {
    /// A frame was returned.
    pub(super) fn tell_received(&mut self, env: &mut dyn Env) {
        if self.status.received == 0 {
            self.status.received_since = env.now_ns();
        }
        self.status.received += 1;
        self.coalesce(env);
    }

    /// A frame has gone out; `now`: its descriptor asks for an interrupt.
    pub(super) fn tell_sent(&mut self, env: &mut dyn Env, now: bool) {
        if self.status.sent == 0 {
            self.status.sent_since = env.now_ns();
        }
        self.status.sent += 1;
        if now { self.update(env, 0) } else { self.coalesce(env) }
    }

    /// The bus has failed.
    pub(super) fn tell_failure(&mut self, env: &mut dyn Env) {
        self.update(env, ERROR);
    }

    /// The link has changed.
    pub(super) fn link_changed(&mut self, env: &mut dyn Env) {
        let status = self.get(mac::STATUS);
        self.set(mac::STATUS, status | mac::LINK_CHANGED);
        if self.get(mac::EVENTS) & mac::LINK_CHANGED != 0 && self.get(registers::MODE) & registers::MAC_ATTENTION != 0 {
            self.update(env, 0);
        }
    }

    /// When frames that are not told yet have waited long enough.
    fn due_at(&self, frames: u32, since: u64, ticks: u16) -> Option<u64> {
        let ticks = self.get(ticks);
        (frames > 0 && ticks != 0 && self.on(blocks::HCC)).then(|| since + ticks as u64 * 1_000)
    }

    /// When the engine has something to do.
    pub(super) fn status_wake_at(&self) -> Option<u64> {
        let Status { received, received_since, sent, sent_since, off_at, .. } = self.status;
        [self.due_at(received, received_since, RX_TICKS), self.due_at(sent, sent_since, TX_TICKS), off_at].into_iter().flatten().min()
    }

    /// Updates the status block if enough frames have come or gone, or one has waited long enough.
    pub(super) fn coalesce(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        if self.status.off_at.take_if(|at| *at <= now).is_some() {
            let mode = self.get(MODE);
            self.set(MODE, mode & !blocks::ENABLE);
        }
        if !self.on(blocks::HCC) {
            return;
        }
        let Status { received, received_since, sent, sent_since, in_service, .. } = self.status;
        let enough = |frames: u32, most: u32| most != 0 && frames >= most;
        let at_work = |one, other| self.get(if in_service { one } else { other });
        let received = enough(received, at_work(RX_FRAMES_AT_WORK, RX_FRAMES))
            || self.due_at(received, received_since, RX_TICKS).is_some_and(|at| at <= now);
        let sent = enough(sent, at_work(TX_FRAMES_AT_WORK, TX_FRAMES))
            || self.due_at(sent, sent_since, TX_TICKS).is_some_and(|at| at <= now);
        if received || sent {
            let mode = self.get(registers::MODE);
            self.write_status(env, 0, received && mode & NO_RECEIVE == 0 || sent && mode & NO_SEND == 0);
        }
    }

    /// Writes the status block, and interrupts.
    fn update(&mut self, env: &mut dyn Env, more: u32) {
        self.write_status(env, more, true);
    }

    /// Writes the status block; `interrupts`: this is worth an interrupt.
    fn write_status(&mut self, env: &mut dyn Env, more: u32, interrupts: bool) {
        if !self.on(blocks::HCC) {
            return;
        }
        (self.status.received, self.status.sent) = (0, 0);
        if self.faults.strikes(faults::Kind::LostUpdate) {
            return;
        }
        if !self.on(blocks::WDMA) {
            env.complain("the status block cannot be written: WDMA is off");
            return;
        }
        if self.tagged() {
            self.status.tag = self.status.tag.wrapping_add(1);
        }
        let link = if self.get(mac::STATUS) & self.get(mac::EVENTS) & mac::LINK_CHANGED != 0 { LINK } else { 0 };
        let mut block = [0; 80];
        block[..4].copy_from_slice(&(UPDATED | link | more).to_le_bytes());
        block[4] = self.status.tag;
        for (at, index) in [(0x0A, self.rx.std_consumer()), (0x10, self.rx.returned()), (0x12, self.tx.consumer())] {
            block[at..at + 2].copy_from_slice(&(index as u16).to_le_bytes());
        }
        let bytes = match (self.get(MODE) & SIZE) >> 7 {
            0 => 80,
            1 => 64,
            _ => 32,
        };
        env.dma_write(self.get(ADDRESS), &block[..bytes]);
        if interrupts && !self.status.in_service {
            self.assert_line();
        }
        self.drive(env);
    }

    /// Latches the interrupt.
    pub(super) fn assert_line(&mut self) {
        if !self.status.asserted {
            self.status.lost = self.faults.strikes(faults::Kind::LostInterrupt);
        }
        self.status.asserted = true;
    }

    /// Drives the interrupt line.
    pub(super) fn drive(&mut self, env: &mut dyn Env) {
        let line = self.status.asserted && !self.status.lost && !self.masked() && !self.gone;
        if line != self.status.line {
            self.status.line = line;
            env.set_irq(line);
        }
    }

    /// Reads a register of the engine.
    pub(super) fn load_coalescing(&mut self, _env: &mut dyn Env, at: u16) -> u32 {
        match at {
            STD_CONSUMER => self.rx.std_consumer(),
            RETURN_PRODUCER => self.rx.returned(),
            SEND_CONSUMER => self.tx.consumer(),
            _ => self.get(at),
        }
    }

    /// Writes the engine's mode.
    pub(super) fn store_coalescing_mode(&mut self, env: &mut dyn Env, value: u32) {
        let was = self.on(blocks::HCC);
        let on = value & blocks::ENABLE != 0;
        if on && !was {
            self.check_status_block(env, self.get(ADDRESS_HIGH), self.get(ADDRESS));
        }
        self.status.off_at = None;
        if was && !on {
            // It ends what it is doing.
            self.status.off_at = Some(env.now_ns() + STOP);
            self.set(MODE, value & !NOW | blocks::ENABLE);
            return;
        }
        self.set(MODE, value & !NOW);
        if value & NOW != 0 && on {
            self.update(env, 0);
        }
    }
}
