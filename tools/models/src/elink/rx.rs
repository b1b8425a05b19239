//! The receiver: filter, FIFO, arrival of frames byte by byte, errors.

use super::{Chip, Kind, cause};
use crate::Env;
use crate::faults;
use std::collections::VecDeque;

/// Bits of the receive filter.
pub mod filter {
    /// The station address.
    pub const STATION: u8 = 1;
    /// Group addresses, broadcast too.
    pub const GROUP: u8 = 2;
    /// Broadcast.
    pub const BROADCAST: u8 = 4;
    /// All frames.
    pub const ALL: u8 = 8;
    /// Group addresses whose hash bit is set (3C90xB).
    pub const HASH: u8 = 16;
}

/// Receive errors. Their values are the 3C509B's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Overrun of the FIFO.
    Overrun = 0,
    /// Longer than 1,514 bytes.
    Oversize = 1,
    /// Shorter than 60 bytes.
    Runt = 3,
    /// Check sequence.
    Crc = 5,
}

impl Error {
    /// The error's bit in the receive errors of wide chips.
    pub(crate) fn bit(self) -> u8 {
        match self {
            Error::Overrun => 0x01,
            Error::Runt => 0x02,
            Error::Crc => 0x08,
            Error::Oversize => 0x10,
        }
    }
}

/// A frame in the receive FIFO. It may still be arriving.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) data: Vec<u8>,
    pub(crate) error: Option<Error>,
    start: u64,
    told_early: bool,
    told_end: bool,
}

impl Frame {
    fn arrived(&self, now: u64, byte: u64) -> usize {
        (now - self.start).checked_div(byte).map_or(self.data.len(), |bytes| (bytes as usize).min(self.data.len()))
    }
    fn end(&self, byte: u64) -> u64 {
        // The check sequence follows the data.
        self.start + (self.data.len() as u64 + 4) * byte
    }
}

/// The receive half of a chip.
pub struct Rx {
    pub(crate) size: usize,
    pub(crate) enabled: bool,
    pub(crate) filter: u8,
    pub(crate) early_threshold: u16,
    pub(crate) underrun: bool,
    pub(crate) overrun: bool,
    off: u16,
    pub(crate) queue: VecDeque<Frame>,
    /// Bytes of the first frame that have been read.
    taken: usize,
    /// When the frame on the wire ends.
    wire_until: u64,
    length_mask: u16,
}

impl Rx {
    pub(crate) fn new(kind: Kind) -> Rx {
        Rx {
            size: 0,
            enabled: false,
            filter: 0,
            early_threshold: kind.threshold_off(),
            underrun: false,
            overrun: false,
            off: kind.threshold_off(),
            queue: VecDeque::new(),
            taken: 0,
            wire_until: 0,
            length_mask: if kind.wide() { 0x1FFF } else { 0x7FF },
        }
    }

    fn used(&self) -> usize {
        self.queue.iter().map(|frame| 4 + frame.data.len().div_ceil(4) * 4).sum::<usize>()
    }

    /// Free bytes.
    pub(crate) fn free(&self) -> usize {
        self.size.saturating_sub(self.used())
    }

    /// Whether the first frame has arrived completely.
    pub(crate) fn complete(&self, now: u64, byte: u64) -> bool {
        self.queue.front().is_some_and(|frame| frame.end(byte) <= now)
    }

    /// Bytes of the first frame that can be read now, rounded up to four if it is complete.
    fn readable(&self, now: u64, byte: u64) -> usize {
        let Some(frame) = self.queue.front() else { return 0 };
        let there = if frame.end(byte) <= now { frame.data.len().div_ceil(4) * 4 } else { frame.arrived(now, byte) / 4 * 4 };
        there.saturating_sub(self.taken)
    }

    /// RX status.
    pub(crate) fn status(&self, now: u64, byte: u64) -> u16 {
        let Some(frame) = self.queue.front() else { return 0x8000 };
        if frame.end(byte) > now {
            return 0x8000 | frame.arrived(now, byte).saturating_sub(self.taken) as u16 & self.length_mask;
        }
        let left = frame.data.len().saturating_sub(self.taken) as u16 & self.length_mask;
        match frame.error {
            // Wide chips have the kind of error in another register.
            Some(error) if self.length_mask == 0x7FF => 0x4000 | (error as u16) << 11 | left,
            Some(_) => 0x4000 | left,
            None => left,
        }
    }

    /// The error bits of the first frame, for wide chips.
    pub(crate) fn error(&self) -> u8 {
        self.queue.front().and_then(|frame| frame.error).map_or(0, Error::bit)
    }

    /// The first frame.
    pub(crate) fn head(&self) -> Option<(Vec<u8>, Option<Error>)> {
        self.queue.front().map(|frame| (frame.data.clone(), frame.error))
    }

    pub(crate) fn threshold(&self, value: u16) -> u16 {
        value.min(self.off)
    }

    pub(crate) fn wire_free(&self, now: u64, byte: u64) -> bool {
        byte == 0 || now >= self.wire_until
    }

    /// When the frame on the wire reaches the early threshold, or ends. Only the last one can still be arriving.
    pub(crate) fn event_at(&self, byte: u64) -> Option<u64> {
        let last = self.queue.back().filter(|frame| !frame.told_end)?;
        let end = last.end(byte);
        let early = last.start + self.early_threshold as u64 * byte;
        let wanted = !last.told_early && self.early_threshold < self.off && early < end;
        Some(if wanted { early } else { end })
    }
}

/// The 3C90xB's hash of a destination address: the low six bits of its CRC.
fn hash(data: &[u8]) -> u32 {
    let step = |crc: u32, bit: u32| (crc << 1) ^ if (crc >> 31) ^ bit == 1 { 0x04C1_1DB7 } else { 0 };
    let bits = data[..6].iter().flat_map(|byte| (0..8).map(move |bit| (byte >> bit & 1) as u32));
    bits.fold(u32::MAX, step) & 0x3F
}

impl Chip {
    /// A frame arrives. False: there was no room.
    pub(crate) fn accept(&mut self, env: &mut dyn Env, data: &[u8]) -> bool {
        if !self.rx.enabled || self.rx.underrun || data.len() < 14 || !self.wanted(data) {
            return true;
        }
        let now = env.now_ns();
        let mut error = match data.len() {
            ..60 => Some(Error::Runt),
            60.. if data.len() <= self.longest() => None,
            _ => Some(Error::Oversize),
        };
        if self.faults.strikes(faults::Kind::AdapterFailure) {
            self.rx.underrun = true;
            self.fail();
            return true;
        }
        if self.faults.strikes(faults::Kind::RxCrc) {
            error = Some(Error::Crc);
        }
        if self.faults.strikes(faults::Kind::RxOverrun) {
            error = Some(Error::Overrun);
        }
        let mut data = data.to_vec();
        let free = self.rx.free();
        if data.len().div_ceil(4) * 4 + 4 > free {
            // A frame without room for its beginning is counted only; of another one the beginning is stored, as an error.
            if free < 64 {
                self.stats.rx_overrun();
                self.rx.overrun = true;
                return false;
            }
            data.truncate((free - 4) / 4 * 4);
            error = Some(Error::Overrun);
        }
        match error {
            None => self.stats.received(data.len()),
            Some(Error::Overrun) => {
                self.stats.rx_overrun();
                self.rx.overrun = true;
            }
            Some(_) => {}
        }
        let start = now.max(self.rx.wire_until);
        let frame = Frame { data, error, start, told_early: false, told_end: false };
        self.rx.wire_until = frame.end(self.times.byte);
        self.rx.queue.push_back(frame);
        self.rx_event(env, now);
        true
    }

    fn wanted(&self, data: &[u8]) -> bool {
        let filter = self.rx.filter;
        let own = data[..6] == self.station[..6];
        let broadcast = data[..6] == [0xFF; 6];
        filter & filter::ALL != 0
            || own && filter & filter::STATION != 0
            || broadcast && filter & (filter::BROADCAST | filter::GROUP) != 0
            || !broadcast && data[0] & 1 != 0 && filter & filter::GROUP != 0
            || data[0] & 1 != 0 && filter & filter::HASH != 0 && self.wide.hash >> hash(data) & 1 == 1
    }

    /// The longest frame that is no error, check sequence not counted.
    fn longest(&self) -> usize {
        match self.kind {
            Kind::El3 => 1514,
            // Max packet size; MAC control's bit 6 allows more.
            Kind::Cyclone if self.wide.max_packet != 0 => self.wide.max_packet as usize,
            _ if self.wide.mac_control & 0x40 != 0 => 4500,
            _ => 1514,
        }
    }

    /// The frame on the wire reaches the early threshold, or ends.
    pub(crate) fn rx_event(&mut self, _env: &mut dyn Env, now: u64) {
        let byte = self.times.byte;
        if self.rx.event_at(byte).is_none_or(|at| at > now) {
            return;
        }
        let whole = self.rx.queue.back().is_some_and(|last| last.end(byte) <= now);
        if let Some(last) = self.rx.queue.back_mut() {
            if whole {
                last.told_end = true;
            } else {
                last.told_early = true;
                self.causes |= cause::RX_EARLY;
            }
        }
    }

    /// Reads the receive FIFO.
    pub(crate) fn rx_read(&mut self, env: &mut dyn Env, width: u8) -> u32 {
        let (now, byte) = (env.now_ns(), self.times.byte);
        let mut value = 0;
        for lane in 0..width as usize {
            if self.rx.readable(now, byte) == 0 {
                if !self.rx.underrun {
                    env.complain("receive FIFO read past the frame");
                }
                self.rx.underrun = true;
                self.fail();
                return value | u32::MAX << (8 * lane);
            }
            let head = self.rx.queue.front();
            let read = head.and_then(|frame| frame.data.get(self.rx.taken)).copied().unwrap_or(0);
            value |= (read as u32) << (8 * lane);
            self.rx.taken += 1;
        }
        value
    }

    /// RX discard; no effect if there is no frame.
    pub(crate) fn rx_discard(&mut self) {
        self.rx.queue.pop_front();
        self.rx.taken = 0;
        self.rx.overrun = false;
    }

    /// RX reset. The wide parts spare what the argument's bits say: 2 the network side with the filter, 3 the FIFO with
    /// the early threshold.
    pub(crate) fn rx_reset(&mut self, spared: u16) {
        let fresh = Rx { size: self.rx.size, wire_until: self.rx.wire_until, ..Rx::new(self.kind) };
        let old = std::mem::replace(&mut self.rx, fresh);
        if spared & 4 != 0 {
            self.rx.enabled = old.enabled;
            self.rx.filter = old.filter;
        }
        if spared & 8 != 0 {
            self.rx.early_threshold = old.early_threshold;
            self.rx.underrun = old.underrun;
            self.rx.overrun = old.overrun;
            self.rx.queue = old.queue;
            self.rx.taken = old.taken;
        } else {
            self.causes &= !cause::RX_EARLY;
        }
        self.recover();
    }
}
