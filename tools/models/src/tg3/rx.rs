//! The receiver: a filter, a FIFO, buffers from the standard ring, and the return ring that says what came.

use super::ring::{self, dword};
use super::{Tg3, blocks, mac, order, registers};
use crate::Env;
use crate::faults;
use std::collections::VecDeque;

/// Bytes of the FIFO.
const FIFO: usize = 0x4000;
/// Bytes of a descriptor.
const SIZE: u32 = 32;
/// Receive buffers that the chip fetches ahead, at the most.
const AHEAD: usize = 32;
/// Bytes of preamble, check sequence and gap.
const AROUND: u64 = 24;
/// Flags of a descriptor: the end of a frame; an error. The errors.
const END: u32 = 0x0004;
const ERROR: u32 = 0x0400;
const CRC: u32 = 1;

/// A frame in the FIFO, with its check sequence.
#[derive(Clone, Debug)]
struct Waiting {
    data: Vec<u8>,
    error: u32,
    complete: u64,
}

/// A receive buffer that was fetched.
#[derive(Clone, Copy, Debug)]
struct Buffer {
    at: u32,
    size: u32,
    index: u32,
    opaque: u32,
}

/// The receiver.
#[derive(Clone, Debug, Default)]
pub struct Rx {
    fifo: VecDeque<Waiting>,
    wire_until: u64,
    producer: u32,
    fetched: u32,
    buffers: VecDeque<Buffer>,
    used: u32,
    returned: u32,
    consumer: u32,
    /// The first frame waits for a buffer, or for the driver to read the return ring.
    stalled: bool,
    /// It gets the bus no more, until a reset.
    hung: bool,
}

impl Rx {
    /// A frame may begin to arrive.
    pub fn wire_free(&self, now: u64) -> bool {
        now >= self.wire_until
    }

    /// When it has something to do.
    pub fn event_at(&self) -> Option<u64> {
        self.fifo.front().filter(|_| !self.stalled && !self.hung).map(|head| head.complete)
    }

    /// The index behind the last standard buffer that was used.
    pub fn std_consumer(&self) -> u32 {
        self.used
    }

    /// The return ring's producer.
    pub fn returned(&self) -> u32 {
        self.returned
    }

    /// The standard ring's producer.
    pub fn set_producer(&mut self, index: u32) {
        self.producer = index;
    }

    /// The return ring's consumer. False: there is nothing that it could have read.
    pub fn set_consumer(&mut self, index: u32, size: u32) -> bool {
        let span = |from: u32, to: u32| if to >= from { to - from } else { to + size - from };
        let right = span(self.consumer, index) <= span(self.consumer, self.returned);
        self.consumer = index;
        self.stalled = false;
        right
    }

    /// The queues are reset.
    pub fn flush(&mut self) {
        self.fifo.clear();
        self.stalled = false;
    }
}

impl Tg3 {
    /// Fetches receive buffers, as many at a time as the threshold says.
    pub(super) fn fetch_buffers(&mut self, env: &mut dyn Env) {
        if self.missing(&[blocks::RBDI, blocks::RBDC, blocks::RDMA, blocks::RDBDI]).is_some() || self.rx.hung {
            return;
        }
        let place = self.std_ring();
        let threshold = self.get(order::REPLENISH).max(1);
        while place.distance(self.rx.fetched, self.rx.producer) >= threshold && self.rx.buffers.len() + threshold as usize <= AHEAD.max(threshold as usize) {
            for _ in 0..threshold {
                self.fetch_buffer(env, place);
            }
            self.rx.stalled = false;
        }
    }

    fn fetch_buffer(&mut self, env: &mut dyn Env, place: ring::Ring) {
        let at = place.at.wrapping_add(self.rx.fetched * SIZE);
        let mut bytes = [0; SIZE as usize];
        env.dma_read(at, &mut bytes);
        let [high, low, sizes, flags] = [0, 1, 2, 3].map(|index| dword(&bytes, index));
        let longest = self.get(mac::LONGEST);
        let buffer = Buffer { at: low, size: sizes & 0xFFFF, index: sizes >> 16, opaque: dword(&bytes, 7) };
        if high != 0 || low == 0 {
            env.complain(&format!("a receive buffer at {high:X}:{low:08X}, by the descriptor at {at:08X}"));
        }
        if buffer.size < longest {
            env.complain(&format!("a receive buffer of {} bytes, and frames of {longest} are possible: descriptor at {at:08X}", buffer.size));
        }
        if flags & END == 0 {
            env.complain(&format!("the standard ring's descriptor at {at:08X} lacks the flag 0004h"));
        }
        self.rx.buffers.push_back(buffer);
        self.rx.fetched = place.next(self.rx.fetched);
    }

    /// A frame comes from the wire. False: nobody here wants it, or there is no room.
    pub(super) fn arrive(&mut self, env: &mut dyn Env, frame: &[u8]) -> bool {
        let begin = env.now_ns().max(self.rx.wire_until);
        let complete = begin + self.byte_time() * (frame.len() as u64 + AROUND);
        self.rx.wire_until = complete;
        if !self.receiving() || !self.port_fits() || !self.wanted(frame) || self.missing(&blocks::TO_RECEIVE).is_some() {
            return false;
        }
        if self.faults.strikes(faults::Kind::AdapterFailure) {
            const TARGET_ABORT: u32 = 1 << 2;
            let status = self.get(registers::WDMA_STATUS);
            self.set(registers::WDMA_STATUS, status | TARGET_ABORT);
            self.rx.hung = true;
            self.tell_failure(env);
            return false;
        }
        let mut data = frame.to_vec();
        data.extend((!mac::crc(frame)).to_le_bytes());
        if data.len() > self.get(mac::LONGEST) as usize {
            self.tally.too_long();
            return false;
        }
        let mut error = 0;
        if self.faults.strikes(faults::Kind::RxCrc) {
            error = CRC;
            let last = data.len() - 1;
            data[last] ^= 0x5A;
            self.tally.damaged();
        }
        let held: usize = self.rx.fifo.iter().map(|frame| frame.data.len()).sum();
        if held + data.len() > FIFO || self.faults.strikes(faults::Kind::RxOverrun) {
            self.tally.dropped();
            return false;
        }
        if error == 0 {
            self.tally.received(frame);
        }
        self.rx.fifo.push_back(Waiting { data, error, complete });
        self.receive_due(env);
        true
    }

    /// Moves frames that are complete to memory.
    pub(super) fn receive_due(&mut self, env: &mut dyn Env) {
        let now = env.now_ns();
        self.fetch_buffers(env);
        while self.rx.event_at().is_some_and(|at| at <= now) && self.missing(&blocks::TO_RECEIVE).is_none() {
            if self.faults.strikes(faults::Kind::DmaHang) {
                self.rx.hung = true;
            } else {
                self.upload(env);
                self.fetch_buffers(env);
            }
        }
    }

    /// Moves the first frame to memory, if there is a buffer for it and room in the return ring.
    fn upload(&mut self, env: &mut dyn Env) {
        let ring = self.sram_ring(ring::RETURN);
        let full = ring.next(self.rx.returned) == self.rx.consumer;
        if self.rx.buffers.is_empty() || full {
            if self.rx.buffers.is_empty() {
                self.tally.no_buffer();
            }
            self.rx.stalled = true;
            return;
        }
        let (Some(Waiting { mut data, error, .. }), Some(buffer)) = (self.rx.fifo.pop_front(), self.rx.buffers.pop_front()) else { return };
        self.rx.used = self.std_ring().next(self.rx.used);
        if self.faults.strikes(faults::Kind::DmaCorrupt) {
            let middle = data.len() / 2;
            data[middle] ^= 0x10;
        }
        data.truncate(buffer.size as usize);
        env.dma_write(buffer.at, &data);
        if self.faults.strikes(faults::Kind::DmaStray) {
            env.dma_write(buffer.at + data.len() as u32 + 1, &[0xDB]);
        }
        let flags = END | if error != 0 { ERROR } else { 0 };
        let words = [0, buffer.at, buffer.index << 16 | data.len() as u32, flags, 0, error << 16, 0, buffer.opaque];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        env.dma_write(ring.at.wrapping_add(self.rx.returned * SIZE), &bytes);
        self.rx.returned = ring.next(self.rx.returned);
        self.tell_received(env);
    }
}
