//! EtherLink III with a FIFO each way, by programmed I/O: 3C509 and 3C509B, and the wide ones that came after them.
//!
//! Registers rest in one window; whoever leaves it comes back. Names are the technical reference's (3Com 09-0398).
//!
//! A wide card (3C515, 3C590, 3C595) has window 1 at +10h in every window, and longer frames and thresholds.

#![allow(missing_docs, reason = "bits have the data sheet's names and stand under their register")]

use crate::bus::Bus;
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};

/// FIFO (window 1): writing transmits, reading receives; 8, 16 or 32 bits.
pub const FIFO: u16 = 0x00;
/// Address of this station (window 2, six bytes).
pub const STATION: u16 = 0x00;
/// Receive status (window 1): the frame at the head of the FIFO.
pub const RX_STATUS: u16 = 0x08;
pub const   RX_INCOMPLETE: u16 = 1 << 15; // or there is none
pub const   RX_ERROR: u16 = 1 << 14;
pub const   RX_CODE: u16 = 7 << 11;
pub const   RX_OVERRUN: u16 = 0 << 11;
/// What is wrong with a wide card's frame (byte, window 1).
pub const RX_ERRORS: u16 = 0x04;
pub const   RX_ERRORS_OVERRUN: u8 = 1 << 0;
/// Transmit status (byte, window 1): a stack; reading shows the head, any write pops it.
pub const TX_STATUS: u16 = 0x0B;
pub const   TX_JABBER: u8 = 1 << 5;
pub const   TX_UNDERRUN: u8 = 1 << 4;
/// Free bytes in the transmit FIFO (window 1).
pub const TX_FREE: u16 = 0x0C;
/// Upper half of the internal configuration (window 3), with the number of the selected transceiver.
pub const CONFIG_HIGH: u16 = 0x02;
/// 4 to 7: 100BASE-TX, 100BASE-FX, MII.
const   CONFIG_FAST: u16 = 1 << 6;
/// Media status (window 4).
pub const MEDIA: u16 = 0x0A;
pub const   MEDIA_COAX: u16 = 1 << 14;
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

/// Commands: an opcode, and for most an argument in bits 10:0. This one takes longest, and leaves a 3C509 deaf to all but
/// its ID port.
pub const GLOBAL_RESET: u16 = 0x00 << 11;
/// See [`GLOBAL_RESET`].
pub const SELECT_WINDOW: u16 = 0x01 << 11;
/// See [`GLOBAL_RESET`].
pub const RX_ENABLE: u16 = 0x04 << 11;
/// See [`GLOBAL_RESET`]; takes a while.
pub const RX_RESET: u16 = 0x05 << 11;
/// See [`GLOBAL_RESET`]; takes a while.
pub const RX_DISCARD: u16 = 0x08 << 11;
/// See [`GLOBAL_RESET`].
pub const TX_ENABLE: u16 = 0x09 << 11;
/// See [`GLOBAL_RESET`].
pub const TX_DISABLE: u16 = 0x0A << 11;
/// See [`GLOBAL_RESET`]; takes a while.
pub const TX_RESET: u16 = 0x0B << 11;
/// See [`GLOBAL_RESET`]: the argument has the causes as in the status.
pub const ACKNOWLEDGE: u16 = 0x0D << 11;
/// See [`GLOBAL_RESET`]: causes that interrupt.
pub const INTERRUPT_MASK: u16 = 0x0E << 11;
/// See [`GLOBAL_RESET`]: causes that the status shows.
pub const STATUS_ENABLE: u16 = 0x0F << 11;
/// See [`GLOBAL_RESET`].
pub const RX_FILTER: u16 = 0x10 << 11;
pub const   FILTER_STATION: u8 = 1;
pub const   FILTER_GROUPS: u8 = 2; // all of them, and broadcast
pub const   FILTER_BROADCAST: u8 = 4;
pub const   FILTER_ALL: u8 = 8;
/// See [`GLOBAL_RESET`]: bytes of a frame at which [`RX_EARLY`] comes, until a reset of the receiver.
pub const RX_EARLY_AT: u16 = 0x11 << 11;
/// See [`GLOBAL_RESET`]: bytes of a frame in the FIFO at which transmission begins; whole frames alone after a reset of
/// the transmitter.
pub const TX_START: u16 = 0x13 << 11;

/// What interrupts. The end of a good transmission does not: the card posts no status for it.
const CAUSES: u16 = ADAPTER_FAILURE | TX_DONE | RX_COMPLETE | RX_EARLY;
/// What an acknowledge clears; the others go with what caused them.
pub const LATCHED: u16 = INTERRUPT_LATCH | TX_AVAILABLE | RX_EARLY | REQUESTED;

/// A port at which, and from 0Eh below it to 0Fh above it, no PC has anything.
const NOWHERE: u16 = 0x15E;
/// Where wide cards have window 1.
pub const WIDE_OPERATING: u16 = 0x10;
/// How often the status is looked at until a reset or discard is over. The reference names no limit, and 1 ms is
/// generous; a look takes 120 ns at the least, on PCI, and some 2 us at the most, on ISA.
const COMMAND_POLLS: u16 = 0x4000;
/// Bytes of a long frame after which the card interrupts, so that its end comes when the core has got to it.
pub const EARLY: u16 = 1448;
/// How often that end is looked for: a look takes 375 ns at the least, and the end comes 56 us behind the interrupt.
const EARLY_POLLS: u16 = 0x200;
/// The preamble in front of each frame, and the padding to a double word behind it, take room in the FIFO.
const TX_OVERHEAD: u16 = 8;

/// The filter for a receive mode (1 to 6).
pub const FILTER_OF_MODE: [u8; 7] = {
    const STATION: u8 = FILTER_STATION;
    const BROADCAST: u8 = FILTER_STATION | FILTER_BROADCAST;
    const GROUPS: u8 = BROADCAST | FILTER_GROUPS;
    [0, 0, STATION, BROADCAST, GROUPS, GROUPS, FILTER_ALL]
};

/// The core's list of groups, by its address: a near one where there are such.
#[derive(Clone, Copy)]
struct List(#[cfg(target_os = "none")] u16, #[cfg(not(target_os = "none"))] usize);

impl List {
    const NONE: List = List(0);

    #[inline(always)]
    fn of(groups: &[MacAddr]) -> List {
        List(groups.as_ptr() as usize as _)
    }

    #[inline(always)]
    fn first(self) -> *const u8 {
        self.0 as usize as *const u8
    }
}

/// A multicast filter of our own, because the cards have none: the list is the core's.
#[repr(C)]
pub struct Groups {
    list: List,
    /// Addresses in the list; [`Groups::OFF`]: no filter.
    count: u8,
}

impl Groups {
    const OFF: u8 = u8::MAX;

    /// No filter.
    pub const fn off() -> Groups {
        Groups { list: List::NONE, count: Groups::OFF }
    }

    /// The filter for a mode.
    #[inline(always)]
    pub fn set(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.list = List::of(groups);
        self.count = if mode == RcvMode::Multicast { groups.len() as u8 } else { Groups::OFF };
    }

    /// Is the frame for a group that nobody asked for?
    #[inline(always)]
    pub fn unwanted(&self, head: &Head) -> bool {
        if self.count == Groups::OFF || head[0] & 1 == 0 || head[0] == 0xFF {
            return false;
        }
        let parts = |bytes: *const u8| {
            // SAFETY: both have six bytes.
            unsafe { ((bytes as *const u32).read_unaligned(), (bytes.add(4) as *const u16).read_unaligned()) }
        };
        let wanted = parts(head.as_ptr());
        let mut left = self.count;
        let mut group = self.list.first();
        while left != 0 {
            if parts(group) == wanted {
                return false;
            }
            group = group.wrapping_add(6);
            left -= 1;
        }
        true
    }
}

/// The card.
#[repr(C)]
pub struct El3<B, const WIDE: bool> {
    count: Counters,
    groups: Groups,
    /// Receive filter in force.
    filter: u8,
    /// Port of [`COMMAND`].
    command: u16,
    /// Port of [`FIFO`].
    fifo: u16,
    /// Port of [`TX_FREE`].
    free: u16,
    bus: B,
}

impl<B: Bus, const WIDE: bool> El3<B, WIDE> {
    /// Back to the window in which the registers rest.
    pub const REST: u16 = SELECT_WINDOW | if WIDE { 7 } else { 1 };
    /// Length of a frame in the receive status.
    const RX_BYTES: u16 = if WIDE { 0x1FFF } else { 0x7FF };

    /// The driver of a card that is set up and at rest, its interrupts masked.
    pub fn new(bus: B, io: u16) -> Self {
        let operating = io + if WIDE { WIDE_OPERATING } else { 0 };
        El3 {
            count: Counters::default(),
            groups: Groups::off(),
            filter: 0,
            command: io + COMMAND,
            fifo: operating + FIFO,
            free: operating + TX_FREE,
            bus,
        }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.count
    }

    /// The port of a register in the first half.
    #[inline(always)]
    fn port(&self, register: u16) -> u16 {
        self.command.wrapping_add(register.wrapping_sub(COMMAND))
    }

    /// The port of a register of window 1.
    #[inline(always)]
    fn operating(&self, register: u16) -> u16 {
        self.fifo.wrapping_add(register - FIFO)
    }

    #[inline(always)]
    fn command(&self, command: u16) {
        self.bus.out16(self.command, command);
    }

    /// A command that takes a while.
    #[inline(never)]
    fn command_wait(&mut self, command: u16) {
        self.command(command);
        // Most are over by the time that the status is read.
        if self.bus.in16(self.command) & BUSY != 0 {
            self.busy();
        }
    }

    #[inline(never)]
    fn busy(&mut self) {
        if self.bus.poll(COMMAND_POLLS, || self.bus.in16(self.command) & BUSY == 0).is_err() {
            // Stuck for good or gone, and not to be touched again: from now on it reads as ones.
            self.command = NOWHERE;
            self.fifo = NOWHERE;
            self.free = NOWHERE;
            self.count.lost = self.count.lost.wrapping_add(1);
        }
    }

    /// The interrupt came for more than frames.
    #[inline(never)]
    fn trouble(&mut self, status: u16) -> Events {
        if status & TX_DONE != 0 {
            self.transmit_error();
        }
        if status & ADAPTER_FAILURE != 0 {
            self.restart();
        }
        Events::RX
    }

    /// All but the last part of a long frame is in: its end is worth waiting for. The receive status.
    #[inline(never)]
    fn end(&self, port: u16) -> u16 {
        let mut status = 0;
        let _ = self.bus.poll(EARLY_POLLS, || {
            status = self.bus.in16(port);
            status < RX_INCOMPLETE + EARLY
        });
        status
    }

    /// Has the transmitter stopped at an error, the only thing for which it posts a status?
    #[inline(never)]
    fn transmit_error(&mut self) {
        let port = self.operating(TX_STATUS);
        let status = self.bus.in8(port);
        // None; or no card any more.
        if status.wrapping_add(1) <= 1 {
            return;
        }
        self.bus.out8(port, 0);
        self.count.errors_out = self.count.errors_out.wrapping_add(1);
        if status & (TX_JABBER | TX_UNDERRUN) != 0 {
            self.command_wait(TX_RESET);
        }
        self.command(TX_ENABLE);
    }

    /// After a FIFO error, which only a reset ends; frames in the card are lost.
    #[inline(always)]
    fn restart(&mut self) {
        self.command_wait(TX_RESET);
        self.command_wait(RX_RESET);
        self.command(TX_ENABLE);
        self.count.lost = self.count.lost.wrapping_add(1);
        self.listen();
    }

    /// Is it for an overrun that the frame with this status is bad?
    #[inline(always)]
    fn overrun(&self, status: u16) -> bool {
        if WIDE {
            status & RX_ERROR != 0 && self.bus.in8(self.operating(RX_ERRORS)) & RX_ERRORS_OVERRUN != 0
        } else {
            status & (RX_ERROR | RX_CODE) == RX_ERROR | RX_OVERRUN
        }
    }

    /// The filter goes with a reset of the receiver.
    #[inline(never)]
    fn listen(&self) {
        // One that passes nothing is as good as a receiver that is off.
        self.command(RX_FILTER | self.filter as u16);
        self.command(RX_ENABLE);
    }
}

impl<B: Bus, const WIDE: bool> Device for El3<B, WIDE> {
    fn irq(&mut self) -> Events {
        let status = self.bus.in16(self.command);
        // A card that is gone is busy for ever.
        if status & (BUSY | INTERRUPT_LATCH) != INTERRUPT_LATCH {
            return Events::NONE;
        }
        self.command(INTERRUPT_MASK);
        self.command(ACKNOWLEDGE | LATCHED);
        if status & (TX_DONE | ADAPTER_FAILURE) != 0 {
            return self.trouble(status);
        }
        Events::RX
    }

    fn unmask(&mut self) {
        self.command(INTERRUPT_MASK | CAUSES);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let port = self.operating(RX_STATUS);
        let mut status = self.bus.in16(port);
        if !WIDE && status >= RX_INCOMPLETE + EARLY {
            status = self.end(port);
        }
        // None, as a card that is gone says too.
        if status & RX_INCOMPLETE != 0 {
            return None;
        }
        // With an error it is too long.
        let len = status & (RX_ERROR | Self::RX_BYTES);
        if len.wrapping_sub(MIN_FRAME) <= MAX_FRAME - MIN_FRAME {
            self.bus.ins32_own(self.fifo, head);
            if !self.groups.unwanted(head) {
                return Rx::new(len);
            }
        } else if self.overrun(status) {
            self.count.lost = self.count.lost.wrapping_add(1);
        } else {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.ins_fifo(self.fifo, job);
    }

    fn discard(&mut self, _: Rx) {
        self.command_wait(RX_DISCARD);
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        // An interrupt that got lost on its way comes again.
        self.command(ACKNOWLEDGE | INTERRUPT_LATCH);
        // A card that is gone reads as ones, less than no room.
        if (self.bus.in16(self.free).wrapping_sub(TX_OVERHEAD) as i16) < job.len as i16 {
            // Interrupts are off while the core waits.
            self.transmit_error();
            return Err(SendError::Busy);
        }
        self.bus.out32(self.fifo, job.len as u32);
        // By whole double words: what lies behind the frame goes no further than the FIFO, and the card itself pads to
        // the shortest frame.
        self.bus.outs_fifo(self.fifo, job);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.groups.set(mode, groups);
        self.filter = FILTER_OF_MODE[mode as usize];
        self.listen();
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.command(SELECT_WINDOW | 2);
        self.bus.out_each(self.port(STATION), address);
        self.command(Self::REST);
    }

    fn link(&mut self) -> Link {
        self.command(SELECT_WINDOW | 4);
        let media = self.bus.in16(self.port(MEDIA));
        self.command(Self::REST);
        link_of(media)
    }

    fn speed(&mut self) -> u16 {
        if !WIDE {
            return 10;
        }
        self.command(SELECT_WINDOW | 3);
        let config = self.bus.in16(self.port(CONFIG_HIGH));
        self.command(Self::REST);
        speed_of(config)
    }

    fn stop(&mut self) {
        self.command(GLOBAL_RESET);
    }
}

/// Megabits a second of the transceiver that is selected in [`CONFIG_HIGH`], one whose link [`MEDIA`] tells.
pub fn speed_of(config: u16) -> u16 {
    if config & CONFIG_FAST != 0 { 100 } else { 10 }
}

/// What the media status says of the cable.
#[inline(always)]
pub fn link_of(media: u16) -> Link {
    if media & (MEDIA_COAX | MEDIA_LINK_ENABLE) != MEDIA_LINK_ENABLE {
        // Coax, or a transceiver box: nothing to see. Or no card any more: all ones.
        Link::Unknown
    } else if media & MEDIA_LINK_BEAT != 0 {
        Link::Up
    } else {
        Link::Down
    }
}
