//! 3C900 and 3C905, and their B and C (EtherLink XL): an EtherLink III with a list of descriptors for each direction (3C90x
//! and 3C90xB NICs Technical Reference, 3Com 89-0766). The 3C515 (`corkscrew`) has the same lists at other ports.
//!
//! The memory is one block of slots, each a descriptor and its buffer: first those to transmit, then those to receive. Each
//! list is a ring. The card writes only the states of descriptors. The driver changes only the links of the download list,
//! which ends with the last frame; the card stops there.

#![allow(missing_docs, reason = "bits have the data sheet's names and stand under their register")]

use super::el3::*;
use super::mii::{self, ANAR, ANLPAR, BMCR, Mii, PHYSICAL, address_of};
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};
use crate::probe::Rings;

/// Transmit status (byte), where a wide card has it.
const STATUS_OF_TX: u16 = WIDE_OPERATING + TX_STATUS;
/// Offset of the lists' registers on PCI cards.
pub const PCI_LISTS: u16 = 0x20;
/// The present download descriptor, 0: none (32 bits; offset from the lists' registers).
pub const DOWN_LIST: u16 = 0x04;
/// The next upload descriptor (32 bits; offset from the lists' registers).
pub const UP_LIST: u16 = 0x18;

// Causes that the EtherLink III does not have.
const DOWN_COMPLETE: u16 = 1 << 9;
const UP_COMPLETE: u16 = 1 << 10;
/// Causes that interrupt.
const CAUSES: u16 = ADAPTER_FAILURE | TX_DONE | UP_COMPLETE;
/// Causes that an acknowledge clears.
const CLEARED: u16 = LATCHED | DOWN_COMPLETE | UP_COMPLETE;

// Commands. A stall takes some time.
pub const UP_STALL: u16 = 0x06 << 11;
pub const UP_UNSTALL: u16 = 0x06 << 11 | 1;
pub const DOWN_STALL: u16 = 0x06 << 11 | 2;
pub const DOWN_UNSTALL: u16 = 0x06 << 11 | 3;

/// Bytes of a descriptor: address of the next one, state, address of the buffer, length of the buffer.
pub const DESC: u32 = 16;
/// Download: length in bits 12:0. Upload: length in bits 12:0, set by the card.
pub const STATE: u16 = 4;
pub const   UP_COMPLETED: u32 = 1 << 15;
const   UP_ERROR: u32 = 1 << 14;
const   UP_OVERRUN: u32 = 1 << 16;
/// The buffer's length; bit 31: there is no further buffer.
pub const LENGTH: u16 = 12;
pub const   LAST: u32 = 1 << 31;

/// Bytes of a slot: a descriptor and its buffer.
pub const SLOT: u32 = 1552;
/// Bytes of a buffer.
pub const BUFFER: u32 = SLOT - DESC;
/// Limit of a command in microseconds: a reset waits for the end of a transfer.
const COMMAND_LIMIT: u16 = 5_000;
/// A port at which no PC has hardware, nor from 0Eh below it to 2Fh above it, nor at an ISA card's lists from there.
const NOWHERE: u16 = 0x12E;

/// A ring of slots.
#[derive(Clone, Copy)]
#[repr(C)]
struct Ring {
    /// Address of the next slot.
    at: u32,
    first: u32,
    end: u32,
}

impl Ring {
    /// A ring of `count` slots.
    fn new(first: u32, count: u8) -> Ring {
        Ring { at: first, first, end: first + count as u32 * SLOT }
    }

    /// Goes on to the next slot.
    #[inline(never)]
    fn advance(&mut self) {
        let next = self.at.wrapping_add(SLOT);
        self.at = if next == self.end { self.first } else { next };
    }

    /// The address of a field of the next slot.
    #[inline(always)]
    fn field(&self, offset: u16) -> Addr {
        Addr(self.at).plus(offset)
    }
}

/// The card. `LISTS`: offset of the lists' registers from the first port.
#[repr(C)]
pub struct Boomerang<B, const LISTS: u16 = PCI_LISTS> {
    count: Counters,
    groups: Groups,
    /// The receive filter in force.
    filter: u8,
    /// The port of [`COMMAND`].
    command: u16,
    /// The bits that read the PHY's status ([`mii::read_status`]); 0: there is no PHY.
    phy: u16,
    tx: Ring,
    rx: Ring,
    /// The slot of the last frame that was sent.
    last: Addr,
    /// What to add to an address of the bus to get the card's.
    shift: u32,
    bus: B,
}

/// Bytes of memory for so many transmit and receive slots.
pub const fn bytes(transmit: u8, receive: u8) -> u32 {
    (transmit as u32 + receive as u32) * SLOT
}

impl<B: Bus, const LISTS: u16> Boomerang<B, LISTS> {
    const DOWN_LIST: u16 = LISTS + DOWN_LIST;
    const UP_LIST: u16 = LISTS + UP_LIST;
    const PCI: bool = LISTS == PCI_LISTS;
    const RX_RESET: u16 = RX_RESET | if Self::PCI { RX_RESET_SPARES } else { 0 };

    /// The driver of a card whose DMA is stopped and whose interrupts are masked.
    pub fn new(bus: B, io: u16, phy: Option<u8>, (transmit, receive): (u8, u8), rings: &Rings) -> Self {
        let tx = Ring::new(rings.linear.0, transmit);
        Boomerang {
            count: Counters::default(),
            groups: Groups::off(),
            filter: 0,
            command: io + COMMAND,
            phy: phy.map_or(0, mii::read_status),
            tx,
            rx: Ring::new(tx.end, receive),
            last: Addr(tx.end - SLOT),
            shift: rings.physical.wrapping_sub(rings.linear.0),
            bus,
        }
    }

    /// The device's counters.
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

    /// Gives a command that takes some time. A card that does not end it hangs or has been removed: it is not touched again.
    /// From then on the driver uses ports that read as all ones.
    #[inline(never)]
    pub fn command_wait(&mut self, command: u16) {
        self.command(command);
        if self.bus.wait_briefly(COMMAND_LIMIT, || self.bus.in16(self.command) & BUSY == 0).is_err() {
            self.command = NOWHERE;
            self.count.lost = self.count.lost.wrapping_add(1);
        }
    }

    /// Whether the card still answers.
    pub fn answers(&self) -> bool {
        self.command != NOWHERE
    }

    /// Restarts the receiver. Frames in its buffers stay.
    #[inline(never)]
    pub fn start_receiver(&mut self) {
        self.command_wait(Self::RX_RESET);
        self.bus.out32(self.port(Self::UP_LIST), self.rx.at.wrapping_add(self.shift));
        self.command(UP_UNSTALL);
        self.listen();
    }

    #[inline(never)]
    fn listen(&self) {
        self.command(RX_FILTER | self.filter as u16);
        self.command(RX_ENABLE);
    }

    #[inline(never)]
    fn unwanted(&self, head: &Head) -> bool {
        self.groups.unwanted(head)
    }

    /// Resets the transmitter. Frames that it has not fetched yet stay in its list.
    #[inline(never)]
    pub fn start_transmitter(&mut self) {
        let list = self.bus.in32(self.port(Self::DOWN_LIST));
        self.command_wait(TX_RESET);
        self.bus.out32(self.port(Self::DOWN_LIST), list);
        self.command(TX_ENABLE);
    }

    /// Serves an error at which the transmitter has stopped, if there is one. Only errors post a transmit status.
    #[inline(never)]
    fn transmit_error(&mut self) {
        let port = self.port(STATUS_OF_TX);
        let status = self.bus.in8(port);
        // No status, or all ones: the card has been removed.
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

/// Bit of the receiver's reset on a B or C that spares the PHY and its link.
pub const RX_RESET_SPARES: u16 = 1 << 2;

impl<B: Bus, const LISTS: u16> Device for Boomerang<B, LISTS> {
    fn irq(&mut self) -> Events {
        let status = self.bus.in16(self.command);
        if status & INTERRUPT_LATCH == 0 {
            return Events::NONE;
        }
        self.command(INTERRUPT_MASK);
        self.command(ACKNOWLEDGE | CLEARED);
        if status & BUSY != 0 {
            // All ones: the card has been removed.
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
        let state = self.bus.get32(self.rx.field(STATE));
        if state & UP_COMPLETED == 0 {
            return None;
        }
        let len = state as u16 & 0x1FFF;
        if state & UP_ERROR == 0 && len.wrapping_sub(MIN_FRAME) <= MAX_FRAME - MIN_FRAME {
            self.bus.take_head(self.rx.field(DESC as u16), head);
            if !self.unwanted(head) {
                return Rx::new(len);
            }
        } else if state & (UP_ERROR | UP_OVERRUN) == UP_ERROR | UP_OVERRUN {
            self.count.lost = self.count.lost.wrapping_add(1);
        } else {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.rx.field(DESC as u16), job);
    }

    fn discard(&mut self, _: Rx) {
        self.bus.put32(self.rx.field(STATE), 0);
        self.rx.advance();
        // A card that found no free descriptor has stalled, and waits for this.
        self.command(UP_UNSTALL);
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        // If the last interrupt was lost, this makes the line rise again for the next.
        self.command(ACKNOWLEDGE | INTERRUPT_LATCH);
        let physical = self.tx.at.wrapping_add(self.shift);
        // The card works at the oldest frame or behind it. The list is full if that frame is in the next slot. A card that
        // has been removed reads as all ones.
        let list = self.bus.in32(self.port(Self::DOWN_LIST));
        if list == physical || list == u32::MAX {
            // No interrupt can serve an error while the core waits for room.
            self.transmit_error();
            return Err(SendError::Busy);
        }
        let len = job.len;
        self.bus.give_frame(self.tx.field(DESC as u16), job);
        // The card pads a short frame.
        self.bus.put32(self.tx.field(0), 0);
        self.bus.put32(self.tx.field(STATE), len as u32);
        self.bus.put32(self.tx.field(LENGTH), len as u32 | LAST);
        self.command_wait(DOWN_STALL);
        self.bus.put32(self.last, physical);
        if self.bus.in32(self.port(Self::DOWN_LIST)) == 0 {
            self.bus.out32(self.port(Self::DOWN_LIST), physical);
        }
        self.command(DOWN_UNSTALL);
        self.last = Addr(self.tx.at);
        self.tx.advance();
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
        let link = if Self::PCI && self.phy != 0 {
            mii::link(&self.bus, self.port(PHYSICAL), self.phy)
        } else {
            link_of(self.bus.in16(self.port(MEDIA)))
        };
        self.command(SELECT_WINDOW | 7);
        link
    }

    fn speed(&mut self) -> u16 {
        if Self::PCI && self.phy != 0 {
            self.command(SELECT_WINDOW | 4);
            let mii = Mii { bus: &self.bus, port: self.port(PHYSICAL) };
            let [control, own, partner] = [BMCR, ANAR, ANLPAR].map(|register| mii.read(address_of(self.phy), register));
            self.command(SELECT_WINDOW | 7);
            return mii::speed(control, own, partner);
        }
        self.command(SELECT_WINDOW | 3);
        let config = self.bus.in16(self.port(CONFIG_HIGH));
        self.command(SELECT_WINDOW | 7);
        speed_of(config)
    }

    fn stop(&mut self) {
        self.command(INTERRUPT_MASK);
        self.command_wait(UP_STALL);
        self.command_wait(DOWN_STALL);
        self.command_wait(Self::RX_RESET);
        self.command_wait(TX_RESET);
        self.command(ACKNOWLEDGE | CLEARED);
    }
}
