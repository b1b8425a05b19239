//! The receiver: filters, a FIFO, and a ring of buffers by legacy or extended descriptors.

use super::ring::Ring;
use super::tally::count;
use super::tx::descriptor;
use super::{Pch, cause, control};
use crate::Env;
use crate::faults::Kind;
use std::collections::VecDeque;

/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// The largest frame with its check sequence, and with a VLAN tag.
const LONGEST: usize = 1522;
/// K1 at 1 Gb/s on an 82577 loses one of so many frames, if the options ask for that.
const K1_LOSES: u32 = 16;

/// Bits of RCTL.
pub mod rctl {
    pub const ON: u32 = 1 << 1;
    pub const BAD: u32 = 1 << 2;
    pub const ALL_UNICAST: u32 = 1 << 3;
    pub const ALL_MULTICAST: u32 = 1 << 4;
    pub const LONG: u32 = 1 << 5;
    pub const LOOPBACK: u32 = 3 << 6;
    pub const SPLIT: u32 = 3 << 10;
    pub const BROADCAST: u32 = 1 << 15;
    pub const LARGE: u32 = 1 << 25;
    pub const STRIP: u32 = 1 << 26;
    pub const RESERVED: u32 = 1 | 1 << 14 | 1 << 21 | 1 << 24 | 0xF << 28;
}

/// Bits of a descriptor's status.
mod status {
    pub const DONE: u32 = 1;
    pub const END: u32 = 1 << 1;
    /// The checksums were not looked at.
    pub const NO_CHECKSUM: u32 = 1 << 2;
    /// By the multicast table, of which the driver has to check the result.
    pub const INEXACT: u32 = 1 << 7;
    /// Wrong check sequence; the first bit of the errors.
    pub const CRC: u32 = 1 << 24;
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
    /// RCTL.
    pub control: u32,
    /// RFCTL: bit 15 asks for extended descriptors.
    pub filter: u32,
    fifo: VecDeque<Waiting>,
    wire_until: u64,
    /// It does not get the bus until a reset.
    hung: bool,
    by_k1: u32,
}

impl Rx {
    /// A frame may begin to arrive.
    pub fn wire_free(&self, now: u64) -> bool {
        now >= self.wire_until
    }

    /// It is on.
    pub fn on(&self) -> bool {
        self.control & rctl::ON != 0
    }

    /// When the next frame is complete. None: no frame, or not enough descriptors for it.
    pub fn event_at(&self) -> Option<u64> {
        let fits = |frame: &&Waiting| self.on() && !self.hung && self.needed(frame.data.len()) <= self.ring.owned();
        self.fifo.front().filter(fits).map(|frame| frame.complete)
    }

    /// Bytes of the check sequence that do not reach memory.
    fn stripped(&self) -> usize {
        if self.control & rctl::STRIP != 0 { 4 } else { 0 }
    }

    /// Descriptors for a frame of so many bytes with its check sequence.
    fn needed(&self, bytes: usize) -> u32 {
        (bytes - self.stripped()).div_ceil(self.buffer()) as u32
    }

    /// Bytes of a buffer.
    fn buffer(&self) -> usize {
        let code = self.control >> 16 & 3;
        match (self.control & rctl::LARGE != 0, code) {
            (true, 1..) => 0x8000 >> code,
            _ => 0x800 >> code,
        }
    }
}

/// The check sequence of Ethernet.
fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
    !data.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ *byte as u32, step))
}

impl Pch {
    /// A frame comes from the wire. False: nobody here wants it, or there is no room.
    pub(super) fn arrive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        let begin = env.now_ns().max(self.rx.wire_until);
        let complete = begin + self.byte_time() * (frame.len() as u64 + AROUND);
        self.rx.wire_until = complete;
        if !self.rx.on() || self.k1_loses() {
            return false;
        }
        let Some(mut status) = self.passes(frame) else { return false };
        let mut data = frame.to_vec();
        data.extend(crc(frame).to_le_bytes());
        if data.len() > LONGEST && self.rx.control & rctl::LONG == 0 {
            self.tally.add(count::OVERSIZE, 1);
            return false;
        }
        if self.faults.strikes(Kind::RxCrc) {
            status |= status::CRC;
            let last = data.len() - 1;
            data[last] ^= 0x5A;
            self.tally.add(count::CRC_ERRORS, 1);
            if self.rx.control & rctl::BAD == 0 {
                return false;
            }
        }
        let held: usize = self.rx.fifo.iter().map(|frame| frame.data.len().next_multiple_of(16) + 16).sum();
        let room = (self.kept(0x1000) & 0x3F) as usize * 1024;
        if held + data.len() > room || self.faults.strikes(Kind::RxOverrun) {
            self.tally.add(count::MISSED, 1);
            self.raise(env, cause::RX_OVERRUN);
            return false;
        }
        self.rx.fifo.push_back(Waiting { data, status, complete });
        if self.rx.ring.owned() == 0 {
            self.tally.add(count::NO_BUFFERS, 1);
        }
        self.receive_due(env);
        true
    }

    /// Whether K1 loses this frame.
    fn k1_loses(&mut self) -> bool {
        let on = self.options.k1_loses && self.part.generation == super::Generation::Pch && self.phy.speed() == 1000 && self.mdio.k1();
        self.rx.by_k1 += on as u32;
        on && self.rx.by_k1.is_multiple_of(K1_LOSES)
    }

    /// The filters. None: the frame does not pass.
    fn passes(&self, frame: &[u8]) -> Option<u32> {
        let control = self.rx.control;
        let to: [u8; 6] = frame.get(..6)?.try_into().ok()?;
        let exact = self.addresses.iter().any(|(low, high)| {
            let [a, b, c, d] = low.to_le_bytes();
            let [e, f, ..] = high.to_le_bytes();
            high >> 31 != 0 && to == [a, b, c, d, e, f]
        });
        if exact {
            return Some(0);
        }
        if to == [0xFF; 6] {
            return (control & rctl::BROADCAST != 0).then_some(0);
        }
        if to[0] & 1 == 0 {
            return (control & rctl::ALL_UNICAST != 0).then_some(0);
        }
        // Ten bits of the last two bytes; RCTL bits 13:12 choose which.
        let shift = [6, 5, 4, 2][(control >> 12 & 3) as usize];
        let index = (u16::from_le_bytes([to[4], to[5]]) >> shift & 0x3FF) as usize;
        let hashed = self.table[index / 32] >> (index % 32) & 1 != 0;
        (hashed || control & rctl::ALL_MULTICAST != 0).then_some(status::INEXACT)
    }

    /// Moves frames that are complete to memory.
    pub(super) fn receive_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        while self.masters() && self.rx.event_at().is_some_and(|at| at <= now) {
            if self.faults.strikes(Kind::DmaHang) {
                self.rx.hung = true;
            } else if let Some(frame) = self.rx.fifo.pop_front() {
                self.upload(env, frame);
            }
        }
    }

    /// Moves a frame to memory.
    fn upload(&mut self, env: &mut dyn Env, frame: Waiting) {
        let Waiting { mut data, status, .. } = frame;
        let (size, last) = (self.rx.buffer(), self.rx.needed(data.len()) - 1);
        self.tally.received(&data[..data.len() - 4]);
        data.truncate(data.len() - self.rx.stripped());
        if self.faults.strikes(Kind::DmaCorrupt) {
            let middle = data.len() / 2;
            data[middle] ^= 0x10;
        }
        for (number, part) in (0..).zip(data.chunks(size)) {
            let at = self.rx.ring.at(number);
            let words = descriptor(env, at);
            if words[1] != 0 {
                env.complain(&format!("a buffer above 4 GB: descriptor at {at:08X}"));
            }
            env.dma_write(words[0], part);
            let mut state = status | status::DONE | status::NO_CHECKSUM;
            if number == last {
                state |= status::END;
                if self.faults.strikes(Kind::DmaStray) {
                    env.dma_write(words[0] + part.len() as u32 + 1, &[0xDB]);
                }
            }
            self.report(env, at, part.len() as u32, state);
        }
        self.rx.ring.step(last + 1);
        self.me.look(env.now_ns());
        let few = if self.rx.ring.low_on() { cause::RX_FEW } else { 0 };
        self.raise(env, cause::RX_DONE | few);
    }

    /// Writes a descriptor back.
    fn report(&mut self, env: &mut dyn Env, at: u32, length: u32, state: u32) {
        let mut bytes = [0; 16];
        if self.rx.filter & 1 << 15 != 0 {
            bytes[8..12].copy_from_slice(&state.to_le_bytes());
            bytes[12..14].copy_from_slice(&length.to_le_bytes()[..2]);
            env.dma_write(at, &bytes);
        } else {
            // The buffer's address stays; then length, checksum, status, errors.
            bytes[..2].copy_from_slice(&length.to_le_bytes()[..2]);
            (bytes[4], bytes[5]) = (state as u8, (state >> 24) as u8);
            env.dma_write(at + 8, &bytes[..8]);
        }
    }

    /// RCTL is written.
    pub(super) fn write_rctl(&mut self, env: &mut dyn Env, value: u32) {
        let before = std::mem::replace(&mut self.rx.control, value);
        if value & rctl::RESERVED != 0 {
            env.complain(&format!("RCTL {value:08X}: reserved bits"));
        }
        if value & (rctl::SPLIT | rctl::LOOPBACK) != 0 {
            env.complain(&format!("RCTL {value:08X}: split headers or loopback, which the model does not have"));
        }
        // Without a ring it does no harm: Linux switches the receiver on a moment too early.
        if value & rctl::ON != 0 && before & rctl::ON == 0 && self.ctrl & control::MASTER_OFF != 0 {
            env.complain("the receiver is switched on while bus mastering is disabled in CTRL");
        }
        if value & rctl::ON == 0 && before & rctl::ON != 0 && self.part.whole() {
            // Prefetch of 31, host threshold of 1, in descriptors: the unit lets go of what it kept.
            if self.kept(0x2828) & 0x0100_3FFF == 0x0100_011F && self.drains() {
                self.held.rx = false;
            } else if self.rx.ring.owned() != 0 {
                self.held.rx |= self.faults.strikes(Kind::HeldDescriptors);
            }
            self.show_held(env);
        }
        self.receive_due(env);
    }
}
