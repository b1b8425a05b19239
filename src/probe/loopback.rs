//! Proves that a card with lists of descriptors moves data intact: frames go from the rings through the card and back
//! into the rings, and nothing is on the wire.
//!
//! First the frames are read from the card's FIFO, since what harms data both ways may mend it on the way back. Then
//! every slot is used, for frames of different lengths and patterns. Around what the card is to write lies the
//! complement of it.

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
/// Within the controller: at the speed of the medium, and apart from it.
const   LOOPBACK_CONTROLLER: u16 = 1 << 13;

/// Frames in all: as many as the deepest ring has slots to receive.
const FRAMES: u16 = 64;
/// The longest that the frames of one round take, in microseconds: eight at 10 Mb/s take 10 ms.
const LIMIT: u16 = 25_000;
/// Their lengths, used in turn; so many that each slot and each pattern meets others every time.
const LENGTHS: [u16; 13] = [60, 1514, 61, 1513, 62, 63, 64, 65, 127, 512, 513, 1024, 1270];
/// A piece that is compared at a time; the buffers are a multiple of it.
const PIECE: u16 = 64;
const PIECES: u16 = BUFFER as u16 / PIECE;
const _: () = assert!(PIECES * PIECE == BUFFER as u16);
/// Patterns of frames.
const PATTERNS: u16 = 4;
/// Receive status: no whole frame is there.
const RX_INCOMPLETE: u16 = 1 << 15;

/// The card and its rings, both engines still and its interrupts masked.
pub(super) struct Trial<'a, B> {
    pub(super) bus: &'a B,
    pub(super) io: u16,
    /// Where its lists' registers are.
    pub(super) lists: u16,
    pub(super) mac: &'a MacAddr,
    pub(super) counts: (u8, u8),
    pub(super) rings: &'a Rings,
}

/// The length of a frame.
fn length(number: u16) -> u16 {
    LENGTHS.get(number as usize % LENGTHS.len()).copied().unwrap_or(0)
}

/// A byte of a frame.
fn byte(mac: &MacAddr, number: u16, at: u16) -> u8 {
    match (at, number % PATTERNS) {
        // To and from itself.
        (0..12, _) => mac.get(at as usize % 6).copied().unwrap_or(0),
        // A type that is for loopbacks (configuration test protocol).
        (12, _) => 0x90,
        (13, _) => 0,
        // All lines of the bus change at once,
        (_, 0) => ((at >> 1 & 1) as u8).wrapping_neg(),
        // each by itself,
        (_, 1) => 1 << (at & 7),
        // each place has a value of its own,
        (_, 2) => at as u8 ^ (at >> 8) as u8 ^ number as u8,
        // or there is no order.
        _ => (at.wrapping_mul(0x9E37).wrapping_add(number.wrapping_mul(0x3C6F)) >> 7) as u8,
    }
}

impl<B: Bus> Trial<'_, B> {
    /// Does everything arrive as it was sent, in time ([`Fault::Master`] if not)? Afterwards both engines stand still, the
    /// card is reset, and the rings hold what came.
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
        // The receiver first: nothing comes from the wire.
        chip.command_wait(RX_RESET)?;
        chip.command_wait(TX_RESET)?;
        chip.command(SELECT_WINDOW | 4);
        self.bus.out16(self.io + NET_DIAGNOSTIC, normal);
        chip.command(SELECT_WINDOW | 7);
        if intact { Ok(()) } else { Err(Fault::Master) }
    }

    /// Slots to transmit, of which there are not none.
    fn transmit(&self) -> u16 {
        self.counts.0.max(1) as u16
    }

    /// Slots to receive, as many or a multiple.
    fn receive(&self) -> u16 {
        self.counts.1.max(1) as u16
    }

    /// A slot as the bus has it, and as the card does.
    fn slot(&self, index: u16) -> (Addr, u32) {
        let at = index as u32 * SLOT;
        (Addr(self.rings.linear.0 + at), self.rings.physical + at)
    }

    /// Frames from `first` on, one for each slot to receive; then a look at every slot there is.
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

    /// As many frames as there are slots to transmit, to as many slots from `to` on.
    fn exchange(&self, first: u16, to: u16) -> bool {
        let list = self.io + self.lists + UP_LIST;
        let last = to + self.transmit() - 1;
        let (state, next) = (self.slot(last).0.plus(STATE), self.next(last));
        let came = || self.bus.in32(list) == next && self.bus.get32(state) & UP_COMPLETED != 0;
        self.send(first, self.transmit()) && self.bus.wait(LIMIT, came).is_ok()
    }

    /// What comes after a slot to receive, as the card has it.
    fn next(&self, slot: u16) -> u32 {
        let first = self.transmit();
        self.slot(if slot + 1 == first + self.receive() { first } else { slot + 1 }).1
    }

    /// Gives the card so many frames. False: it is still at work.
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

    /// Has the card received this frame? It is discarded.
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

    /// Puts a frame's pattern into a slot's whole buffer, all bits turned by `turn`.
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

    /// Has the slot the first `len` bytes of a frame's pattern, and their complement behind a last double word? Is its
    /// descriptor as it must be?
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
