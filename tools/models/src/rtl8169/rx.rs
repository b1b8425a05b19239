//! The receiver: a filter, a FIFO, and a ring of buffers.

use super::ring::{Ring, word};
use super::{Rtl8169, cause, command};
use crate::Env;
use crate::faults;
use std::collections::VecDeque;

/// Nanoseconds until the receiver looks again for a descriptor that it did not find.
const RETRY: u64 = 100_000;
/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// The largest frame with its check sequence.
const LONGEST: usize = 1522;

/// Bits of the receive configuration.
mod accept {
    pub const ALL: u32 = 1;
    pub const OWN: u32 = 1 << 1;
    pub const MULTICAST: u32 = 1 << 2;
    pub const BROADCAST: u32 = 1 << 3;
    pub const ERRORS: u32 = 1 << 5;
}

/// Bits of a received frame's status.
mod status {
    pub const MULTICAST: u32 = 1 << 27;
    pub const OWN: u32 = 1 << 26;
    pub const BROADCAST: u32 = 1 << 25;
    pub const TOO_LONG: u32 = 1 << 22;
    pub const ERROR: u32 = 1 << 21;
    pub const CRC: u32 = 1 << 19;
}

/// A frame in the FIFO, with its check sequence.
#[derive(Clone, Debug)]
struct Waiting {
    data: Vec<u8>,
    status: u32,
    complete: u64,
}

/// The receiver.
#[derive(Clone, Debug, Default)]
pub struct Rx {
    /// Its ring.
    pub ring: Ring,
    fifo: VecDeque<Waiting>,
    wire_until: u64,
    retry_at: Option<u64>,
    /// An overflow has stopped it until a reset.
    wedged: bool,
    /// It does not get the bus until a reset.
    hung: bool,
}

impl Rx {
    /// A frame may begin to arrive.
    pub fn wire_free(&self, now: u64) -> bool {
        now >= self.wire_until
    }

    /// No frame is in the FIFO.
    pub fn empty(&self) -> bool {
        self.fifo.is_empty()
    }

    /// Drops what is in the FIFO.
    pub fn flush(&mut self) {
        self.fifo.clear();
        self.retry_at = None;
    }

    /// When it has something to do.
    pub fn event_at(&self) -> Option<u64> {
        let head = self.fifo.front()?.complete;
        Some(self.retry_at.map_or(head, |at| at.max(head)))
    }
}

/// The check sequence of Ethernet, and the sum by which the multicast table is indexed.
fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
    data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ *byte as u32, step))
}

impl Rtl8169 {
    /// A frame comes from the wire. False: nobody here wants it, or there is no room.
    pub(super) fn arrive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        let now = env.now_ns();
        let begin = now.max(self.rx.wire_until);
        let complete = begin + self.byte_time() * (frame.len() as u64 + AROUND);
        self.rx.wire_until = complete;
        if self.command & command::RX == 0 || self.stopped || self.gated() || self.managed() || self.asleep || self.rx.wedged {
            return false;
        }
        let Some(mut status) = self.filter(frame) else { return false };
        if self.faults.strikes(faults::Kind::AdapterFailure) {
            self.stopped = true;
            self.raise(env, cause::BUS_ERROR);
            return false;
        }
        let mut data = frame.to_vec();
        data.extend((!crc(frame)).to_le_bytes());
        let largest = u16::from_le_bytes([self.file[0xDA], self.file[0xDB]]) as usize;
        if data.len() > largest.min(LONGEST) {
            status |= status::TOO_LONG | status::ERROR;
        }
        if self.faults.strikes(faults::Kind::RxCrc) {
            status |= status::CRC | status::ERROR;
            let last = data.len() - 1;
            data[last] ^= 0x5A;
        }
        if status & status::ERROR != 0 {
            self.tally.rx_errors += 1;
            self.raise(env, cause::RX_ERROR);
            if self.rx_config & accept::ERRORS == 0 {
                return false;
            }
        }
        let held: usize = self.rx.fifo.iter().map(|frame| frame.data.len()).sum();
        if held + data.len() > self.part.fifo || self.faults.strikes(faults::Kind::RxOverrun) {
            self.tally.missed = self.tally.missed.wrapping_add(1);
            self.rx.wedged = self.part.wedges;
            self.raise(env, cause::RX_FIFO);
            return false;
        }
        self.rx.fifo.push_back(Waiting { data, status, complete });
        self.receive_due(env);
        true
    }

    /// The bits by which a frame passes.
    fn filter(&self, frame: &[u8]) -> Option<u32> {
        let to = frame.get(..6)?;
        let (bit, passes) = if to == [0xFF; 6] {
            (status::BROADCAST, self.rx_config & accept::BROADCAST != 0)
        } else if to[0] & 1 != 0 {
            (status::MULTICAST, self.rx_config & accept::MULTICAST != 0 && self.hashed(to))
        } else if to == self.station {
            (status::OWN, self.rx_config & accept::OWN != 0)
        } else {
            (0, false)
        };
        (passes || self.rx_config & accept::ALL != 0).then_some(bit)
    }

    /// The multicast table has this address. On PCI Express the table's bytes come in the opposite order.
    fn hashed(&self, to: &[u8]) -> bool {
        let index = (crc(to).reverse_bits() >> 26) as usize;
        let mut table = [0; 8];
        table.copy_from_slice(&self.file[8..16]);
        if self.part.generation != super::Generation::Pci {
            table.reverse();
        }
        table[index / 8] >> (index % 8) & 1 != 0
    }

    /// Moves frames that are complete to memory.
    pub(super) fn receive_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        while self.rx.event_at().is_some_and(|at| at <= now) && self.command & command::RX != 0 && !self.stopped && !self.rx.hung {
            self.rx.retry_at = None;
            if self.faults.strikes(faults::Kind::DmaHang) {
                self.rx.hung = true;
            } else if !self.upload(env) {
                self.rx.retry_at = Some(now + RETRY);
            }
        }
    }

    /// Moves the first frame to memory. False: there is no descriptor for it.
    fn upload(&mut self, env: &mut dyn Env) -> bool {
        let Some(Waiting { mut data, status, .. }) = self.rx.fifo.front().cloned() else { return false };
        if self.faults.strikes(faults::Kind::DmaCorrupt) {
            let middle = data.len() / 2;
            data[middle] ^= 0x10;
        }
        let place = self.rx.ring.place();
        let (mut rest, mut parts) = (&data[..], Vec::new());
        while !rest.is_empty() {
            let part = self.rx.ring.head(env);
            if part.status & word::OWN == 0 || parts.len() > data.len() / 8 {
                self.rx.ring.go_back(place);
                self.raise(env, cause::RX_NO_DESCRIPTOR);
                return false;
            }
            let size = (part.status & 0x3FF8) as usize;
            if part.buffer & 7 != 0 || size == 0 {
                env.complain(&format!("a receive buffer of {size} bytes at {:08X}, not a multiple of 8, or none", part.buffer));
            }
            let (now, later) = rest.split_at(rest.len().min(size.max(8)));
            parts.push((part, now));
            rest = later;
            self.rx.ring.step(env, part.status);
        }
        self.rx.fifo.pop_front();
        let last = parts.len() - 1;
        for (at, (part, bytes)) in parts.iter().enumerate() {
            env.dma_write(part.buffer, bytes);
            let mut word = part.status & word::LAST | if at == 0 { word::FIRST_PART } else { 0 };
            word |= if at == last { word::LAST_PART | status | data.len() as u32 } else { bytes.len() as u32 };
            if at == last && self.faults.strikes(faults::Kind::DmaStray) {
                env.dma_write(part.buffer + bytes.len() as u32 + 1, &[0xDB]);
            }
            env.dma_write(part.at + 4, &[0; 4]);
            env.dma_write(part.at, &word.to_le_bytes());
        }
        self.tally.received(&data);
        self.raise(env, cause::RX_OK);
        true
    }
}
