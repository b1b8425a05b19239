//! The transmitter: a doorbell, a ring, and one frame at a time on the wire.

use super::{Tg3, blocks, offload, ring};
use crate::Env;
use crate::faults;

/// The longest frame, with a VLAN tag.
const LONGEST: usize = 1522;
/// The shortest frame; the chip pads.
const SHORTEST: usize = 60;
/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// Bytes of a descriptor.
const SIZE: u32 = 16;
/// Descriptors that are fetched in one call, at the most.
const AT_ONCE: usize = 1024;

/// Flags of a descriptor.
pub mod flag {
    pub const SUM: u16 = 1;
    pub const IP_SUM: u16 = 2;
    pub const END: u16 = 4;
    pub const NOW: u16 = 0x80;
    pub const SEGMENT: u16 = 0x0300;
    pub const NO_CRC: u16 = 0x8000;
}

/// A frame on the wire, or several that were one.
#[derive(Clone, Debug)]
struct Flight {
    frames: Vec<Vec<u8>>,
    /// The index behind its last descriptor.
    next: u32,
    ends: u64,
    /// Its descriptor asks for an interrupt.
    now: bool,
    /// It does not reach the other end.
    lost: bool,
    failed: bool,
    collisions: bool,
}

/// The transmitter.
#[derive(Clone, Debug, Default)]
pub struct Tx {
    producer: u32,
    fetched: u32,
    consumer: u32,
    flight: Option<Flight>,
    /// It gets the bus no more, until a reset.
    hung: bool,
}

impl Tx {
    /// When the frame on the wire ends.
    pub fn event_at(&self) -> Option<u64> {
        self.flight.as_ref().map(|flight| flight.ends)
    }

    /// The index behind the last descriptor that the driver has back.
    pub fn consumer(&self) -> u32 {
        self.consumer
    }

    /// The doorbell.
    pub fn set_producer(&mut self, index: u32) {
        self.producer = index;
    }

    /// The queues are reset.
    pub fn flush(&mut self) {
        self.flight = None;
    }
}

impl Tg3 {
    /// Ends the frame on the wire if it is due, and fetches further ones.
    pub(super) fn transmit_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        let mut begin = now;
        for _ in 0..AT_ONCE {
            if let Some(flight) = self.tx.flight.take_if(|flight| flight.ends <= now) {
                begin = flight.ends;
                self.landed(env, flight);
            }
            if self.tx.flight.is_some() || !self.fetch(env, begin) {
                return;
            }
        }
    }

    /// Fetches the next frame. False: none, or not now.
    fn fetch(&mut self, env: &mut dyn Env, begin: u64) -> bool {
        if self.tx.fetched == self.tx.producer || !self.sending() || self.tx.hung || self.missing(&blocks::TO_SEND).is_some() {
            return false;
        }
        if self.faults.strikes(faults::Kind::DmaHang) {
            self.tx.hung = true;
            return false;
        }
        let place = self.sram_ring(ring::SEND);
        let (mut frame, mut first, mut parts) = (Vec::new(), None, 0);
        let mut next = self.tx.fetched;
        let mut now = false;
        loop {
            if next == self.tx.producer {
                env.complain("a frame without an end: its last descriptor lacks the flag 0004h");
                break;
            }
            let at = place.at.wrapping_add(next * SIZE);
            let mut bytes = [0; SIZE as usize];
            env.dma_read(at, &mut bytes);
            let [high, low, kind, more] = [0, 1, 2, 3].map(|index| ring::dword(&bytes, index));
            let (flags, length) = (kind as u16, kind >> 16);
            self.check_part(env, at, high, flags, length);
            first.get_or_insert((flags, (more >> 16) as u16));
            now |= flags & flag::NOW != 0;
            let from = frame.len();
            frame.resize(from + length as usize, 0);
            env.dma_read(low, &mut frame[from..]);
            next = place.next(next);
            parts += 1;
            if flags & flag::END != 0 || parts == AT_ONCE {
                break;
            }
        }
        self.tx.fetched = next;
        let (flags, segment) = first.unwrap_or_default();
        let frames = self.prepare(env, frame, flags, segment);
        let wire: u64 = frames.iter().map(|frame| frame.len() as u64 + AROUND).sum();
        let collisions = self.faults.strikes(faults::Kind::MaxCollisions);
        let failed = self.faults.strikes(faults::Kind::TxUnderrun) || collisions;
        let lost = !self.phy.link() || !self.port_fits();
        self.check_port(env);
        self.tx.flight = Some(Flight { frames, next, ends: begin + self.byte_time() * wire, now, lost, failed, collisions });
        true
    }

    fn check_part(&mut self, env: &mut dyn Env, at: u32, high: u32, flags: u16, length: u32) {
        const KNOWN: u16 = flag::SUM | flag::IP_SUM | flag::END | flag::NOW | flag::SEGMENT | 0xFC70;
        if high != 0 {
            env.complain(&format!("a buffer above 4 GB: send descriptor at {at:08X}"));
        }
        if length == 0 {
            env.complain(&format!("an empty buffer to send: descriptor at {at:08X}"));
        }
        if flags & !KNOWN != 0 || flags & flag::NO_CRC != 0 {
            env.complain(&format!("flags {flags:04X}h of the send descriptor at {at:08X}"));
        }
    }

    /// The MAC's port has had the time to follow the link.
    fn check_port(&mut self, env: &mut dyn Env) {
        const TIME: u64 = 3_000_000_000;
        if self.phy.link() && !self.port_fits() && env.now_ns() > self.link_since + TIME {
            env.complain(&format!("a frame to send, and MAC_MODE's port is not that of {} Mb/s, three seconds after the link came up", self.phy.speed()));
        }
    }

    /// Checksums, segments, padding, and what is wrong with the frame.
    fn prepare(&mut self, env: &mut dyn Env, frame: Vec<u8>, flags: u16, segment: u16) -> Vec<Vec<u8>> {
        let mut frames = if flags & flag::SEGMENT == flag::SEGMENT {
            offload::segments(&frame, segment as usize & 0x3FFF & self.segment_mask())
        } else {
            vec![frame]
        };
        for frame in &mut frames {
            if flags & flag::SEGMENT == 0 {
                offload::sums(frame, flags & flag::IP_SUM != 0, flags & flag::SUM != 0);
            }
            if frame.len() > LONGEST || frame.len() < 14 {
                env.complain(&format!("a frame of {} bytes", frame.len()));
            }
            frame.resize(frame.len().max(SHORTEST), 0);
            if self.faults.strikes(faults::Kind::DmaCorrupt) {
                let middle = frame.len() / 2;
                frame[middle] ^= 0x10;
            }
        }
        frames
    }

    /// The bits of a segment's size; behind them is the length of the headers.
    fn segment_mask(&self) -> usize {
        if self.part.large { 0x3FFF } else { 0x07FF }
    }

    /// A frame has left: its descriptors are the driver's again.
    fn landed(&mut self, env: &mut dyn Env, flight: Flight) {
        self.tx.hung |= self.faults.strikes(faults::Kind::StaysOwned);
        for frame in &flight.frames {
            if flight.failed {
                self.tally.not_sent(flight.collisions);
            } else {
                self.tally.sent(frame);
                if !flight.lost {
                    env.transmit(frame);
                }
            }
        }
        if !self.tx.hung {
            self.tx.consumer = flight.next;
            self.tell_sent(env, flight.now);
        }
    }
}
