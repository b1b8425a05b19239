//! 3C900 and 3C905, and their B and C (EtherLink XL): an EtherLink III with a list of descriptors each way (3C90x and
//! 3C90xB NICs Technical Reference, 3Com 89-0766).
//!
//! Memory, all of it in one piece: download descriptors, upload descriptors, buffers in the same order. Each list is a
//! ring of its own. The card writes states into descriptors and leaves the rest; only the links of the download list
//! change: it ends with the last frame, and the card stops there.

#![allow(missing_docs, reason = "bits have the data sheet's names and stand under their register")]

use super::el3::*;
use super::mii::{BMSR, BMSR_LINK, Mii, PHYSICAL};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, LOOKAHEAD, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};
use crate::probe::Rings;

/// Transmit status (byte): where a wide card has it.
const STATUS_OF_TX: u16 = WIDE_OPERATING + TX_STATUS;
/// The download descriptor at work, 0: none (32 bits).
pub const DOWN_LIST: u16 = 0x24;
/// The upload descriptor that comes next (32 bits).
pub const UP_LIST: u16 = 0x38;

/// Causes beyond the EtherLink III's.
const DOWN_COMPLETE: u16 = 1 << 9;
const UP_COMPLETE: u16 = 1 << 10;
/// What interrupts.
const CAUSES: u16 = ADAPTER_FAILURE | TX_DONE | UP_COMPLETE;
/// What an acknowledge clears.
const CLEARED: u16 = LATCHED | DOWN_COMPLETE | UP_COMPLETE;

/// Commands; stalling takes a while.
pub const UP_STALL: u16 = 0x06 << 11;
pub const UP_UNSTALL: u16 = 0x06 << 11 | 1;
pub const DOWN_STALL: u16 = 0x06 << 11 | 2;
pub const DOWN_UNSTALL: u16 = 0x06 << 11 | 3;

/// A descriptor: the next one's address, its state, a buffer's address, the buffer's length.
pub const DESC: u32 = 16;
/// Download: length in bits 12:0. Upload: length in bits 12:0, set by the card.
pub const STATE: u16 = 4;
pub const   UP_COMPLETED: u32 = 1 << 15;
const   UP_ERROR: u32 = 1 << 14;
const   UP_OVERRUN: u32 = 1 << 16;
/// Bits of the buffer's length; bit 31: there is no other buffer.
pub const LENGTH: u16 = 12;
pub const   LAST: u32 = 1 << 31;

/// From buffer to buffer.
pub const BUFFER: u32 = 1536;
/// Bad frames that are thrown away in one go.
const BAD_LIMIT: u8 = 64;
/// What a command may take, in microseconds: a reset waits for the end of a transfer.
const COMMAND_LIMIT: u16 = 5_000;
/// No PHY: the media status tells.
const NO_PHY: u8 = u8::MAX;
/// A port at which, and from 0Eh below it to 2Fh above it, no PC has anything.
const NOWHERE: u16 = 0x12E;

/// The card.
#[repr(C)]
pub struct Boomerang<B> {
    count: Counters,
    groups: Groups,
    /// Receive filter in force.
    filter: u8,
    /// Port of [`COMMAND`].
    command: u16,
    /// Place of the PHY; all ones: none.
    phy: u8,
    /// Descriptors to transmit, and to receive; powers of two, at most 128.
    tx_count: u8,
    rx_count: u8,
    /// The descriptors that come next.
    tx: u8,
    rx: u8,
    /// The descriptors, as the bus copies.
    linear: Addr,
    /// The same as the card sees them.
    physical: u32,
    bus: B,
}

/// Bytes of memory for so many frames to transmit and to receive.
pub const fn bytes(transmit: u8, receive: u8) -> u32 {
    (transmit as u32 + receive as u32) * (DESC + BUFFER)
}

impl<B: Bus> Boomerang<B> {
    /// The driver of a card whose engines stand still and whose interrupts are masked.
    pub fn new(bus: B, io: u16, phy: Option<u8>, (transmit, receive): (u8, u8), rings: &Rings) -> Self {
        Boomerang {
            count: Counters::default(),
            groups: Groups::off(),
            filter: 0,
            command: io + COMMAND,
            phy: phy.unwrap_or(NO_PHY),
            tx_count: transmit,
            rx_count: receive,
            tx: 0,
            rx: 0,
            linear: rings.linear,
            physical: rings.physical,
            bus,
        }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.count
    }

    #[inline(always)]
    fn port(&self, register: u16) -> u16 {
        self.command.wrapping_add(register.wrapping_sub(COMMAND))
    }

    #[inline(always)]
    fn command(&self, command: u16) {
        self.bus.out16(self.command, command);
    }

    /// A command that takes a while; a card that never ends it is stuck for good or gone, and not to be touched again:
    /// from then on it reads as ones.
    #[inline(never)]
    pub fn command_wait(&mut self, command: u16) {
        self.command(command);
        if self.bus.wait(COMMAND_LIMIT, || self.bus.in16(self.command) & BUSY == 0).is_err() {
            self.command = NOWHERE;
            self.count.lost = self.count.lost.wrapping_add(1);
        }
    }

    /// Does the card still answer?
    pub fn answers(&self) -> bool {
        self.command != NOWHERE
    }

    /// How far a descriptor is from the first.
    #[inline(always)]
    fn desc(&self, index: u8) -> u16 {
        index as u16 * DESC as u16
    }

    /// The descriptor to receive from.
    #[inline(always)]
    fn rx_index(&self) -> u8 {
        self.tx_count.wrapping_add(self.rx)
    }

    #[inline(never)]
    fn buffer(&self, index: u8) -> Addr {
        let descs = self.desc(self.tx_count.wrapping_add(self.rx_count));
        Addr(self.linear.plus(descs).0.wrapping_add(index as u32 * BUFFER))
    }

    /// Starts the receiver anew; what is in its buffers stays.
    #[inline(never)]
    pub fn start_receiver(&mut self) {
        self.command_wait(RX_RESET | RX_RESET_SPARES);
        self.bus.out32(self.port(UP_LIST), self.physical.wrapping_add(self.desc(self.rx_index()) as u32));
        self.command(UP_UNSTALL);
        self.listen();
    }

    #[inline(never)]
    fn listen(&self) {
        self.command(RX_FILTER | self.filter as u16);
        self.command(if self.filter == 0 { RX_DISABLE } else { RX_ENABLE });
    }

    /// Resets the transmitter; frames that it has not fetched yet stay in its list.
    #[inline(never)]
    pub fn start_transmitter(&mut self) {
        let list = self.bus.in32(self.port(DOWN_LIST));
        self.command_wait(TX_RESET);
        self.bus.out32(self.port(DOWN_LIST), list);
        self.command(TX_ENABLE);
    }

    /// Has the transmitter stopped at an error, the only thing for which it posts a status?
    #[inline(never)]
    fn transmit_error(&mut self) {
        let port = self.port(STATUS_OF_TX);
        let status = self.bus.in8(port);
        // None; or no card any more.
        if status.wrapping_add(1) <= 1 {
            return;
        }
        if status & (TX_JABBER | TX_UNDERRUN) != 0 {
            self.start_transmitter();
        } else {
            self.command(TX_ENABLE);
        }
        self.bus.out8(port, 0);
        self.count.errors_out = self.count.errors_out.wrapping_add(1);
    }
}

/// What a reset of the receiver leaves alone on a B or C: the PHY and its link.
pub const RX_RESET_SPARES: u16 = 1 << 2;

impl<B: Bus> Device for Boomerang<B> {
    fn irq(&mut self) -> Events {
        let status = self.bus.in16(self.command);
        if status & INTERRUPT_LATCH == 0 {
            return Events::NONE;
        }
        self.command(INTERRUPT_MASK);
        self.command(ACKNOWLEDGE | CLEARED);
        if status & BUSY != 0 {
            // Gone.
            return Events::NONE;
        }
        self.transmit_error();
        if status & ADAPTER_FAILURE != 0 {
            self.count.lost = self.count.lost.wrapping_add(1);
            self.start_transmitter();
            self.start_receiver();
        }
        Events::RX
    }

    fn unmask(&mut self) {
        self.command(INTERRUPT_MASK | CAUSES);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        for _ in 0..BAD_LIMIT {
            let index = self.rx_index();
            let state = self.bus.get32(self.linear.plus(self.desc(index) + STATE));
            if state & UP_COMPLETED == 0 {
                break;
            }
            let rx = Rx { len: state as u16 & 0x1FFF, at: 0 };
            if state & UP_ERROR == 0 && rx.len.wrapping_sub(MIN_FRAME) <= MAX_FRAME - MIN_FRAME {
                self.bus.transfer(self.buffer(index), self.bus.addr_of(head.as_ptr()), LOOKAHEAD as u16);
                if !self.groups.unwanted(head) {
                    return Some(rx);
                }
            } else if state & (UP_ERROR | UP_OVERRUN) == UP_ERROR | UP_OVERRUN {
                self.count.lost = self.count.lost.wrapping_add(1);
            } else {
                self.count.errors_in = self.count.errors_in.wrapping_add(1);
            }
            self.discard(rx);
        }
        None
    }

    fn copy(&mut self, _: &Rx, _: &Head, to: Addr, len: u16) {
        self.bus.transfer(self.buffer(self.rx_index()), to, len);
    }

    fn discard(&mut self, _: Rx) {
        self.bus.put32(self.linear.plus(self.desc(self.rx_index()) + STATE), 0);
        self.rx = self.rx.wrapping_add(1) & self.rx_count.wrapping_sub(1);
        // Where the card found no room it waits for this.
        self.command(UP_UNSTALL);
    }

    fn send(&mut self, frame: Addr, len: u16) -> Result<(), SendError> {
        // An interrupt that got lost on its way comes again.
        self.command(ACKNOWLEDGE | INTERRUPT_LATCH);
        let at = self.desc(self.tx);
        let physical = self.physical.wrapping_add(at as u32);
        // The card is at work at or behind the oldest frame: the list is full when that is the one to be used next. A
        // card that is gone reads as ones.
        let list = self.bus.in32(self.port(DOWN_LIST));
        if list == physical || list == u32::MAX {
            // Interrupts are off while the core waits.
            self.transmit_error();
            return Err(SendError::Busy);
        }
        let buffer = self.buffer(self.tx);
        let mut padded = len;
        if len < MIN_FRAME {
            padded = MIN_FRAME;
            for at in 0..MIN_FRAME / 4 {
                self.bus.put32(buffer.plus(at * 4), 0);
            }
        }
        self.bus.transfer(frame, buffer, len);
        let desc = self.linear.plus(at);
        self.bus.put32(desc, 0);
        self.bus.put32(desc.plus(STATE), padded as u32);
        self.bus.put32(desc.plus(LENGTH), padded as u32 | LAST);
        self.command_wait(DOWN_STALL);
        let last = self.tx_count.wrapping_sub(1);
        self.bus.put32(self.linear.plus(self.desc(self.tx.wrapping_sub(1) & last)), physical);
        if self.bus.in32(self.port(DOWN_LIST)) == 0 {
            self.bus.out32(self.port(DOWN_LIST), physical);
        }
        self.command(DOWN_UNSTALL);
        self.tx = self.tx.wrapping_add(1) & last;
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.groups.set(mode, groups);
        self.filter = FILTER_OF_MODE[mode as usize];
        self.listen();
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.command(SELECT_WINDOW | 2);
        for (port, byte) in (self.port(STATION)..).zip(address) {
            self.bus.out8(port, *byte);
        }
        self.command(SELECT_WINDOW | 7);
    }

    fn link(&mut self) -> Link {
        self.command(SELECT_WINDOW | 4);
        let link = if self.phy == NO_PHY {
            link_of(self.bus.in16(self.port(MEDIA)))
        } else {
            let mii = Mii { bus: &self.bus, port: self.port(PHYSICAL) };
            // The first reading is of the past.
            mii.read(self.phy, BMSR);
            match mii.read(self.phy, BMSR) {
                u16::MAX => Link::Unknown,
                status if status & BMSR_LINK != 0 => Link::Up,
                _ => Link::Down,
            }
        };
        self.command(SELECT_WINDOW | 7);
        link
    }

    fn stop(&mut self) {
        self.command(INTERRUPT_MASK);
        self.command_wait(UP_STALL);
        self.command_wait(DOWN_STALL);
        self.command_wait(RX_RESET | RX_RESET_SPARES);
        self.command_wait(TX_RESET);
        self.command(ACKNOWLEDGE | CLEARED);
    }
}
