//! 3C509 and 3C509B (EtherLink III, ISA): PIO through a FIFO each way.
//!
//! Registers rest in window 1; whoever leaves it comes back. Names are the technical reference's (3Com 09-0398).

#![allow(missing_docs, reason = "bits have the data sheet's names and stand under their register")]

use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, LOOKAHEAD, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};
use crate::resident::table::GROUPS;

/// FIFO (window 1): writing transmits, reading receives; 8, 16 or 32 bits.
pub const FIFO: u16 = 0x00;
/// Address of this station (window 2, six bytes).
pub const STATION: u16 = 0x00;
/// Receive status (window 1): the frame at the head of the FIFO.
pub const RX_STATUS: u16 = 0x08;
pub const   RX_INCOMPLETE: u16 = 1 << 15;
pub const   RX_ERROR: u16 = 1 << 14;
pub const   RX_CODE: u16 = 7 << 11;
pub const   RX_OVERRUN: u16 = 0 << 11;
pub const   RX_DRIBBLE: u16 = 2 << 11; // a few bits too many: the frame is good
pub const   RX_BYTES: u16 = 0x7FF;
/// Transmit status (byte, window 1): a stack; reading shows the head, any write pops it.
pub const TX_STATUS: u16 = 0x0B;
pub const   TX_COMPLETE: u8 = 1 << 7;
pub const   TX_JABBER: u8 = 1 << 5;
pub const   TX_UNDERRUN: u8 = 1 << 4;
pub const   TX_COLLISIONS: u8 = 1 << 3;
pub const   TX_OVERFLOW: u8 = 1 << 2;
/// Free bytes in the transmit FIFO (window 1).
pub const TX_FREE: u16 = 0x0C;
/// Media status (window 4).
pub const MEDIA: u16 = 0x0A;
pub const   MEDIA_LINK_BEAT: u16 = 1 << 11;
pub const   MEDIA_LINK_ENABLE: u16 = 1 << 7;
pub const   MEDIA_JABBER_ENABLE: u16 = 1 << 6;
/// Command (write) and status (read), in every window.
pub const COMMAND: u16 = 0x0E;
pub const   BUSY: u16 = 1 << 12;
pub const   ADAPTER_FAILURE: u16 = 1 << 1;
pub const   INTERRUPT_LATCH: u16 = 1 << 0;
pub const   TX_AVAILABLE: u16 = 1 << 3;
pub const   TX_DONE: u16 = 1 << 2;
pub const   RX_COMPLETE: u16 = 1 << 4;
pub const   RX_EARLY: u16 = 1 << 5;
pub const   REQUESTED: u16 = 1 << 6;

/// Commands: an opcode, and for most an argument in bits 10:0.
pub const SELECT_WINDOW: u16 = 0x01 << 11;
/// See [`SELECT_WINDOW`].
pub const RX_DISABLE: u16 = 0x03 << 11;
/// See [`SELECT_WINDOW`].
pub const RX_ENABLE: u16 = 0x04 << 11;
/// See [`SELECT_WINDOW`]; takes a while.
pub const RX_RESET: u16 = 0x05 << 11;
/// See [`SELECT_WINDOW`]; takes a while.
pub const RX_DISCARD: u16 = 0x08 << 11;
/// See [`SELECT_WINDOW`].
pub const TX_ENABLE: u16 = 0x09 << 11;
/// See [`SELECT_WINDOW`].
pub const TX_DISABLE: u16 = 0x0A << 11;
/// See [`SELECT_WINDOW`]; takes a while.
pub const TX_RESET: u16 = 0x0B << 11;
/// See [`SELECT_WINDOW`]: the argument has the causes as in the status.
pub const ACKNOWLEDGE: u16 = 0x0D << 11;
/// See [`SELECT_WINDOW`]: causes that interrupt.
pub const INTERRUPT_MASK: u16 = 0x0E << 11;
/// See [`SELECT_WINDOW`]: causes that the status shows.
pub const STATUS_ENABLE: u16 = 0x0F << 11;
/// See [`SELECT_WINDOW`].
pub const RX_FILTER: u16 = 0x10 << 11;
pub const   FILTER_STATION: u16 = 1;
pub const   FILTER_GROUPS: u16 = 2; // all of them, and broadcast
pub const   FILTER_BROADCAST: u16 = 4;
pub const   FILTER_ALL: u16 = 8;
/// See [`SELECT_WINDOW`]: bytes in the FIFO at which transmission begins; above 1792 only whole frames.
pub const TX_START: u16 = 0x13 << 11;
/// Off, for the thresholds.
pub const THRESHOLD_OFF: u16 = 0x7FC;

/// What interrupts. The end of a good transmission does not: the card posts no status for it.
const CAUSES: u16 = ADAPTER_FAILURE | TX_DONE | RX_COMPLETE;
/// What an acknowledge clears; the others go with what caused them.
const LATCHED: u16 = INTERRUPT_LATCH | TX_AVAILABLE | RX_EARLY | REQUESTED;
/// Transmission begins with this much in the FIFO: string output is faster than the cable from there on.
pub const TX_EARLY: u16 = 512;

/// Longest that a reset or discard takes, in microseconds (the reference names no limit; 1 ms is generous).
const COMMAND_LIMIT: u16 = 1_000;
/// The transmit status stack has 31 places.
const TX_STACK: u8 = 31;
/// Bad frames thrown away in one go: more than the FIFO holds.
const BAD_LIMIT: u8 = 128;

/// The card.
#[repr(C)]
pub struct El3<B> {
    count: Counters,
    io: u16,
    /// Length of the frame whose head has been read; 0: none.
    peeked: u16,
    /// Receive filter in force.
    filter: u16,
    /// Bytes in use of `groups`: a filter of our own, because the card has none.
    group_count: u8,
    groups: [MacAddr; GROUPS],
    bus: B,
}

impl<B: Bus> El3<B> {
    /// The driver of a card that is set up, in window 1, with its interrupts masked.
    pub fn new(bus: B, io: u16) -> Self {
        let filter = FILTER_STATION | FILTER_BROADCAST;
        El3 { count: Counters::default(), io, peeked: 0, filter, group_count: 0, groups: [[0; 6]; GROUPS], bus }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.count
    }

    #[inline(never)]
    fn command(&self, command: u16) {
        self.bus.out16(self.io + COMMAND, command);
    }

    /// A command that takes a while.
    #[inline(never)]
    fn command_wait(&self, command: u16) {
        self.command(command);
        // A card that never ends it is gone; the next status says so.
        let _ = self.bus.wait(COMMAND_LIMIT, || self.bus.in16(self.io + COMMAND) & BUSY == 0);
    }

    /// Pops what the transmitter reports: errors only. It stops at each of them.
    #[inline(never)]
    fn transmit_errors(&mut self) {
        for _ in 0..TX_STACK {
            let status = self.bus.in8(self.io + TX_STATUS);
            if status & TX_COMPLETE == 0 || status == u8::MAX {
                return;
            }
            if status & (TX_JABBER | TX_UNDERRUN) != 0 {
                self.command_wait(TX_RESET);
                // It did not keep up once: whole frames from now on.
                self.command(TX_START | THRESHOLD_OFF);
            }
            if status & (TX_JABBER | TX_UNDERRUN | TX_COLLISIONS | TX_OVERFLOW) != 0 {
                self.count.errors_out = self.count.errors_out.wrapping_add(1);
            }
            self.command(TX_ENABLE);
            self.bus.out8(self.io + TX_STATUS, 0);
        }
    }

    /// After a FIFO error, which only a reset ends; frames in the card are lost.
    #[inline(never)]
    fn restart(&mut self) {
        self.command_wait(TX_RESET);
        self.command_wait(RX_RESET);
        self.command(TX_START | TX_EARLY);
        self.command(TX_ENABLE);
        self.peeked = 0;
        self.count.lost = self.count.lost.wrapping_add(1);
        self.listen();
    }

    /// The filter goes with a reset of the receiver.
    #[inline(never)]
    fn listen(&self) {
        self.command(RX_FILTER | self.filter);
        self.command(if self.filter == 0 { RX_DISABLE } else { RX_ENABLE });
    }

    /// Is the frame for a group that nobody asked for?
    #[inline(always)]
    fn unwanted(&self, head: &Head) -> bool {
        if self.group_count == 0 || head[0] & 1 == 0 || head[0] == 0xFF {
            return false;
        }
        for group in self.groups.iter().take(self.group_count as usize) {
            if group.iter().zip(head).all(|(a, b)| a == b) {
                return false;
            }
        }
        true
    }
}

impl<B: Bus> Device for El3<B> {
    fn irq(&mut self) -> Events {
        let status = self.bus.in16(self.io + COMMAND);
        if status & INTERRUPT_LATCH == 0 || status == u16::MAX {
            return Events::NONE;
        }
        self.command(INTERRUPT_MASK);
        self.command(ACKNOWLEDGE | LATCHED);
        if status & TX_DONE != 0 {
            self.transmit_errors();
        }
        if status & ADAPTER_FAILURE != 0 {
            self.restart();
        }
        Events::RX
    }

    fn unmask(&mut self) {
        self.command(INTERRUPT_MASK | CAUSES);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        for _ in 0..BAD_LIMIT {
            if self.peeked != 0 {
                return Some(Rx { len: self.peeked, at: 0 });
            }
            let status = self.bus.in16(self.io + RX_STATUS);
            if status & RX_INCOMPLETE != 0 {
                return None;
            }
            let len = status & RX_BYTES;
            let code = status & RX_CODE;
            let bad = status & RX_ERROR != 0 && code != RX_DRIBBLE;
            if !bad && len.wrapping_sub(1) < MAX_FRAME {
                // By double words: the FIFO gives out whole ones, and a frame's last is padded.
                let words = if len < LOOKAHEAD as u16 { (len + 3) >> 2 } else { LOOKAHEAD as u16 >> 2 };
                self.bus.ins32(self.io + FIFO, self.bus.addr_of(head.as_ptr()), words);
                if !self.unwanted(head) {
                    self.peeked = len;
                    continue;
                }
            } else if bad && code == RX_OVERRUN {
                self.count.lost = self.count.lost.wrapping_add(1);
            } else {
                self.count.errors_in = self.count.errors_in.wrapping_add(1);
            }
            self.command_wait(RX_DISCARD);
        }
        None
    }

    fn copy(&mut self, _: &Rx, head: &Head, to: Addr, len: u16) {
        let begun = if len < LOOKAHEAD as u16 { len } else { LOOKAHEAD as u16 };
        self.bus.transfer(self.bus.addr_of(head.as_ptr()), to, begun);
        let rest = len - begun;
        self.bus.ins32(self.io + FIFO, to.plus(begun), rest >> 2);
        self.bus.ins(self.io + FIFO, to.plus(begun + (rest & !3)), rest & 3);
    }

    fn discard(&mut self, _: Rx) {
        self.peeked = 0;
        self.command_wait(RX_DISCARD);
    }

    fn send(&mut self, frame: Addr, len: u16) -> Result<(), SendError> {
        self.transmit_errors();
        // The preamble and the padding to a double word take room, too.
        let padded = if len < MIN_FRAME { MIN_FRAME } else { len };
        if self.bus.in16(self.io + TX_FREE) < padded + 8 {
            return Err(SendError::Busy);
        }
        self.bus.out16(self.io + FIFO, padded);
        self.bus.out16(self.io + FIFO, 0);
        self.bus.outs32(self.io + FIFO, frame, len >> 2);
        self.bus.outs(self.io + FIFO, frame.plus(len & !3), len & 3);
        // Words so far, and as many as a frame of whole double words has.
        let mut at = (len + 1) >> 1;
        while at < (padded + 3) >> 2 << 1 {
            self.bus.out16(self.io + FIFO, 0);
            at += 1;
        }
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.group_count = 0;
        self.filter = match mode {
            RcvMode::Off => 0,
            RcvMode::Direct => FILTER_STATION,
            RcvMode::Broadcast => FILTER_STATION | FILTER_BROADCAST,
            RcvMode::Promiscuous => FILTER_ALL,
            _ => FILTER_STATION | FILTER_BROADCAST | FILTER_GROUPS,
        };
        if mode == RcvMode::Multicast {
            for (own, group) in self.groups.iter_mut().zip(groups) {
                *own = *group;
                self.group_count += 1;
            }
            if self.group_count == 0 {
                self.filter = FILTER_STATION | FILTER_BROADCAST;
            }
        }
        self.listen();
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.command(SELECT_WINDOW | 2);
        for (port, byte) in (self.io + STATION..).zip(address) {
            self.bus.out8(port, *byte);
        }
        self.command(SELECT_WINDOW | 1);
    }

    fn link(&mut self) -> Link {
        self.command(SELECT_WINDOW | 4);
        let media = self.bus.in16(self.io + MEDIA);
        self.command(SELECT_WINDOW | 1);
        if media & MEDIA_LINK_ENABLE == 0 {
            // Coax, or a transceiver box: nothing to see.
            Link::Unknown
        } else if media & MEDIA_LINK_BEAT != 0 {
            Link::Up
        } else {
            Link::Down
        }
    }

    fn stop(&mut self) {
        self.command(INTERRUPT_MASK);
        self.command(RX_DISABLE);
        self.command(TX_DISABLE);
        self.command(ACKNOWLEDGE | LATCHED);
    }
}
