//! Tests that a card with descriptor lists transfers data intact: sends frames from its rings through the card's loopback
//! back into its rings. Nothing goes to the wire.
//!
//! The first frames are read from the card's FIFO, because a fault in both directions may cancel itself out. Then every slot
//! is used, with frames of different lengths and patterns. Around the bytes that the card must write, the buffers hold
//! those bytes' complement.

use super::boomerang::lay_out;
use super::elink::Chip;
use super::{Fault, Rings};
use crate::bus::{Addr, Bus};
use crate::device::MacAddr;
use crate::drivers::boomerang::*;
use crate::drivers::el3::*;

/// Network diagnostic (window 4).
const NET_DIAGNOSTIC: u16 = 0x06;
const   LOOPBACKS: u16 = 15 << 12;
/// Loopback in the controller: at the medium's speed, and without the medium.
const   LOOPBACK_CONTROLLER: u16 = 1 << 13;

/// Frames to send: as many as the longest ring has receive slots.
const FRAMES: u16 = 64;
/// Limit in microseconds for the frames of one round: eight at 10 Mb/s take 10 ms.
const LIMIT: u16 = 25_000;
/// Lengths of the frames, used in turn. Their number is chosen so that slots, patterns and lengths combine anew each time.
const LENGTHS: [u16; 13] = [60, 1514, 61, 1513, 62, 63, 64, 65, 127, 512, 513, 1024, 1270];
/// Bytes that are compared at a time. A buffer is a multiple of it.
const PIECE: u16 = 64;
const PIECES: u16 = BUFFER as u16 / PIECE;
const _: () = assert!(PIECES * PIECE == BUFFER as u16);
/// Number of patterns.
const PATTERNS: u16 = 4;
/// Receive status: no complete frame.
const RX_INCOMPLETE: u16 = 1 << 15;

/// The card and its rings. Its DMA must be stopped and its interrupts masked.
pub(super) struct Trial<'a, B> {
    pub(super) bus: &'a B,
    pub(super) io: u16,
    /// Offset of the lists' registers.
    pub(super) lists: u16,
    pub(super) mac: &'a MacAddr,
    pub(super) counts: (u8, u8),
    pub(super) rings: &'a Rings,
}

/// The length of a frame, by its number.
fn length(number: u16) -> u16 {
    LENGTHS.get(number as usize % LENGTHS.len()).copied().unwrap_or(0)
}

/// A byte of a frame.
fn byte(mac: &MacAddr, number: u16, at: u16) -> u8 {
    match (at, number % PATTERNS) {
        // The card's address, as destination and source.
        (0..12, _) => mac.get(at as usize % 6).copied().unwrap_or(0),
        // The type of the configuration test protocol, which is for loopback.
        (12, _) => 0x90,
        (13, _) => 0,
        // Pattern 0: all data lines change at once.
        (_, 0) => ((at >> 1 & 1) as u8).wrapping_neg(),
        // Pattern 1: each line changes alone.
        (_, 1) => 1 << (at & 7),
        // Pattern 2: every offset has another value.
        (_, 2) => at as u8 ^ (at >> 8) as u8 ^ number as u8,
        // Pattern 3: pseudo-random.
        _ => (at.wrapping_mul(0x9E37).wrapping_add(number.wrapping_mul(0x3C6F)) >> 7) as u8,
    }
}

impl<B: Bus> Trial<'_, B> {
    /// Makes the test: [`Fault::Master`] if a frame arrives changed or too late. Afterwards DMA is stopped, the card is reset,
    /// and the rings hold the received frames.
    pub(super) fn run(&self) -> Result<(), Fault> {
        let chip = Chip { bus: self.bus, io: self.io };
        lay_out(self.bus, self.rings, self.counts);
        chip.command(SELECT_WINDOW | 2);
        self.bus.out_each(self.io + STATION, self.mac);
        chip.command(SELECT_WINDOW | 4);
        let normal = self.bus.in16(self.io + NET_DIAGNOSTIC) & !LOOPBACKS;
        self.bus.out16(self.io + NET_DIAGNOSTIC, normal | LOOPBACK_CONTROLLER);
        chip.command(TX_ENABLE);
        chip.command(DOWN_UNSTALL);
        chip.command(RX_FILTER | FILTER_STATION as u16);
        chip.command(RX_ENABLE);

        let mut intact = (0..PATTERNS).all(|number| self.send(number, 1) && self.is_in_fifo(number, &chip));
        if intact {
            self.bus.out32(self.io + self.lists + UP_LIST, self.slot(self.transmit()).1);
            chip.command(UP_UNSTALL);
        }
        let mut number = 0;
        while intact && number < FRAMES {
            intact = self.fill_up(number);
            number += self.receive();
        }

        if self.bus.in16(self.io + COMMAND) & BUSY != 0 {
            return Err(Fault::Dead);
        }
        // The receiver first, so that no frame comes from the wire.
        chip.command_wait(RX_RESET)?;
        chip.command_wait(TX_RESET)?;
        chip.command(SELECT_WINDOW | 4);
        self.bus.out16(self.io + NET_DIAGNOSTIC, normal);
        chip.command(SELECT_WINDOW | 7);
        if intact { Ok(()) } else { Err(Fault::Master) }
    }

    /// Number of transmit slots, at least 1.
    fn transmit(&self) -> u16 {
        self.counts.0.max(1) as u16
    }

    /// Number of receive slots, a multiple of that.
    fn receive(&self) -> u16 {
        self.counts.1.max(1) as u16
    }

    /// A slot's address for the bus, and for the card.
    fn slot(&self, index: u16) -> (Addr, u32) {
        let at = index as u32 * SLOT;
        (Addr(self.rings.linear.0 + at), self.rings.physical + at)
    }

    /// Sends frames from number `first` on, one for each receive slot; then compares all slots.
    fn fill_up(&self, first: u16) -> bool {
        let (transmit, receive) = (self.transmit(), self.receive());
        for at in 0..receive {
            self.fill(transmit + at, first + at, 0xFF);
            self.bus.put32(self.slot(transmit + at).0.plus(STATE), 0);
        }
        let mut done = 0;
        while done < receive {
            if !self.exchange(first + done, transmit + done) {
                return false;
            }
            done += transmit;
        }
        let last = first + receive - transmit;
        let sent = (0..transmit).all(|at| self.holds(at, last + at, BUFFER as u16));
        sent && (0..receive).all(|at| self.holds(transmit + at, first + at, length(first + at)))
    }

    /// Sends as many frames as there are transmit slots; they must arrive in as many slots from `to` on.
    fn exchange(&self, first: u16, to: u16) -> bool {
        let list = self.io + self.lists + UP_LIST;
        let last = to + self.transmit() - 1;
        let (state, next) = (self.slot(last).0.plus(STATE), self.next(last));
        let came = || self.bus.in32(list) == next && self.bus.get32(state) & UP_COMPLETED != 0;
        self.send(first, self.transmit()) && self.bus.wait(LIMIT, came).is_ok()
    }

    /// The card's address of the receive slot after this one.
    fn next(&self, slot: u16) -> u32 {
        let first = self.transmit();
        self.slot(if slot + 1 == first + self.receive() { first } else { slot + 1 }).1
    }

    /// Gives the card `count` frames. False: it has not sent the last ones.
    fn send(&self, first: u16, count: u16) -> bool {
        let list = self.io + self.lists + DOWN_LIST;
        if self.bus.wait(LIMIT, || self.bus.in32(list) == 0).is_err() {
            return false;
        }
        for at in 0..count {
            let len = length(first + at) as u32;
            let slot = self.slot(at).0;
            self.fill(at, first + at, 0);
            self.bus.put32(slot, if at + 1 == count { 0 } else { self.slot(at + 1).1 });
            self.bus.put32(slot.plus(STATE), len);
            self.bus.put32(slot.plus(LENGTH), len | LAST);
        }
        self.bus.out32(list, self.slot(0).1);
        true
    }

    /// Whether the FIFO holds this frame; discards it.
    fn is_in_fifo(&self, number: u16, chip: &Chip<B>) -> bool {
        let status = || self.bus.in16(self.io + WIDE_OPERATING + RX_STATUS);
        let whole = self.bus.wait(LIMIT, || status() & RX_INCOMPLETE == 0).is_ok();
        let len = length(number);
        if !whole || status() != len {
            return false;
        }
        let same = (0..len.div_ceil(4)).map(|word| word * 4).fold(true, |same, start| {
            let bytes = self.bus.in32(self.io + WIDE_OPERATING + FIFO).to_le_bytes();
            same & (start..len).zip(bytes).all(|(at, found)| found == byte(self.mac, number, at))
        });
        chip.command_wait(RX_DISCARD).is_ok() && same
    }

    /// Fills a slot's buffer with a frame's pattern, each byte XORed with `turn`.
    fn fill(&self, slot: u16, number: u16, turn: u8) {
        let buffer = self.slot(slot).0.plus(DESC as u16);
        let mut piece = [0; PIECE as usize];
        for start in (0..PIECES).map(|index| index * PIECE) {
            for (at, place) in (start..).zip(&mut piece) {
                *place = byte(self.mac, number, at) ^ turn;
            }
            self.bus.give_own(piece.as_ptr(), buffer.plus(start), PIECE);
        }
    }

    /// Whether a slot holds the first `len` bytes of a frame's pattern, then the complement (from the next double word on),
    /// and a correct descriptor.
    fn holds(&self, slot: u16, number: u16, len: u16) -> bool {
        let (place, physical) = self.slot(slot);
        let sent = slot < self.transmit();
        let length = length(number) as u32;
        let next = if slot + 1 == self.transmit() { 0 } else { self.next(slot) };
        let wanted = [
            next,
            if sent { length } else { UP_COMPLETED | length },
            physical + DESC,
            LAST | if sent { length } else { BUFFER },
        ];
        if !(0..).map(|word| word * 4).zip(wanted).all(|(at, wanted)| self.bus.get32(place.plus(at)) == wanted) {
            return false;
        }
        let mut piece = [0; PIECE as usize];
        (0..PIECES).map(|index| index * PIECE).all(|start| {
            self.bus.take(place.plus(DESC as u16 + start), self.bus.far_of(piece.as_mut_ptr()), PIECE);
            (start..).zip(&piece).all(|(at, found)| {
                let sent = byte(self.mac, number, at);
                if at < len { *found == sent } else { at < (len + 3) & !3 || *found == !sent }
            })
        })
    }
}
