//! Intel 82557, 82558, 82559, 82550, 82551 and 82562, driven through their ports (8255x Open Source Software Developer
//! Manual).
//!
//! The memory is one block: three command blocks in a row that set the card up; counters; a command block with a frame to
//! transmit; receive descriptors in a ring, each with its frame. Addresses are written once. The list ends at the descriptor
//! before the oldest one: there the receiver stops. It is restarted at the oldest one when that is free.

use super::mii::{self, ANAR, ANLPAR, BMCR, BMSR, BMSR_LINK};
use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Status: the receiver's in bits 5:2, the command unit's above.
const STATUS: u16 = 0x00;
const   STATUS_RECEIVER: u8 = 15 << 2;
const   STATUS_READY: u8 = 4 << 2;
/// Interrupt causes (byte); writing ones acknowledges.
const ACK: u16 = 0x01;
/// The receiver has stopped.
const   ACK_RNR: u8 = 1 << 4;
/// Command (byte); the card sets it to 0 when it has accepted the command.
const COMMAND: u16 = 0x02;
const   RECEIVER_START: u8 = 0x01;
const   RECEIVER_BASE: u8 = 0x06;
const   UNIT_START: u8 = 0x10;
const   COUNTERS_AT: u8 = 0x40;
const   UNIT_BASE: u8 = 0x60;
/// Writes the counters to memory and clears them.
const   COUNTERS_DUMP: u8 = 0x70;
/// Interrupt mask.
pub const MASK: u16 = 0x03;
const   MASK_ALL: u8 = 1 << 0;
/// Makes the card interrupt.
pub const   MASK_RAISE: u8 = 1 << 1;
/// Masks all causes but received frames and a stop of the receiver. The 82557 has only bit 0.
pub const   MASK_OTHERS: u8 = 1 << 7 | 1 << 5 | 1 << 3 | 1 << 2;
/// The address that a command refers to.
const POINTER: u16 = 0x04;
/// Resets.
const PORT: u16 = 0x08;
const   PORT_SOFTWARE: u32 = 0;
/// Ends DMA; must precede the full reset.
const   PORT_SELECTIVE: u32 = 2;
/// PHY access: data in bits 15:0, register from bit 16 on, PHY from bit 21 on.
pub const MDI: u16 = 0x10;
/// Read.
pub const   MDI_READ: u32 = 2 << 26;
/// Write.
pub const   MDI_WRITE: u32 = 1 << 26;
const   MDI_READY: u32 = 1 << 28;

/// Status of a command or receive descriptor (16 bits); command (16 bits) and link follow.
const   DONE: u16 = 1 << 15;
const   OK: u16 = 1 << 13;
/// Suspend after this command.
pub const   SUSPEND: u32 = 1 << 30;
const   TRANSMIT: u32 = 4 << 16 | SUSPEND;
const WORD: u16 = 2;
/// Last of a list.
pub const   LAST: u32 = 1 << 31;
/// Transmit: length (the whole frame follows, in simplified mode); threshold in bits 31:16: the whole frame.
const BYTES: u16 = 12;
const   TX_WHOLE: u32 = 1 << 15 | 0xE0 << 16;
const   RX_BYTES: u16 = 0x3FFF;
/// The frame's first byte.
const DATA: u16 = 16;

/// Offsets in the memory.
pub struct Layout;

impl Layout {
    /// Configure command: its 22 bytes begin at byte 8.
    pub const CONFIGURE: u16 = 0;
    /// Individual address setup: 6 bytes.
    pub const ADDRESS: u16 = 32;
    /// Multicast setup: a count of bytes (16 bits), the addresses.
    pub const GROUPS: u16 = 48;
    /// 16 counters, and the mark that says that they are written.
    pub const COUNTERS: u16 = 112;
    /// The frame to transmit.
    pub const TRANSMIT: u16 = 192;
    /// The ring of receive descriptors.
    pub const RECEIVE: u16 = Self::TRANSMIT + SLOT;
}

/// Bytes of a descriptor and its frame.
pub const SLOT: u16 = 1536;
/// Counters: frames without a free descriptor, then frames that overran the FIFO.
const NO_RESOURCES: u16 = Layout::COUNTERS + 48;
/// The mark behind the counters: they are written.
const MARK: u16 = Layout::COUNTERS + 64;
/// A byte of the configuration: promiscuous in bit 0, no broadcasts in bit 1.
const MODE_BYTE: u16 = Layout::CONFIGURE + 8 + 15;
/// Its other bits, as the manual gives them.
pub const   MODE_DEFAULT: u8 = 0x48;
/// A byte of the configuration: all multicasts in bit 3.
const GROUP_BYTE: u16 = Layout::CONFIGURE + 8 + 21;
/// Its other bits, as the manual gives them.
pub const   GROUP_DEFAULT: u8 = 0x05;

/// Limit in microseconds for the card to accept a command. The manual names none.
const COMMAND_LIMIT: u16 = 1_000;
/// Limit in microseconds for the card to execute a command: a frame at 10 Mb/s with its collisions.
const UNIT_LIMIT: u16 = 20_000;
/// Reads of the clock during a reset (manual: 10 microseconds; a read takes three ISA cycles, at least 2 microseconds).
const RESET_LOOKS: u8 = 50;
/// Limit of a PHY access, in microseconds.
const MDI_LIMIT: u16 = 1_000;

/// The card.
#[repr(C)]
pub struct I8255x<B> {
    /// The counters, for the core.
    pub count: Counters,
    /// The memory's address for the bus.
    pub memory: Addr,
    /// The memory's address for the card.
    pub physical: u32,
    /// First port.
    pub io: u16,
    /// Times in a row that the transmit command was in progress.
    pub busy: u16,
    /// Offset of the oldest receive descriptor.
    pub oldest: u16,
    /// Offset of the descriptor before it in the ring, the last of the list.
    pub last: u16,
    /// Offset of the ring's end.
    pub end: u16,
    /// The PHY's address; 0: none that can be read.
    pub phy: u8,
    /// The mode in force. QEMU's cards accept broadcasts in every mode, and cannot be told to receive nothing.
    pub mode: RcvMode,
    /// The bus.
    pub bus: B,
}

impl<B: Bus> I8255x<B> {
    fn port(&self, register: u16) -> u16 {
        self.io.wrapping_add(register)
    }

    /// Gives a command and the address that it refers to.
    #[inline(never)]
    fn command(&self, command: u8, at: u32) {
        let _ = self.bus.wait_briefly(COMMAND_LIMIT, || self.bus.in8(self.port(COMMAND)) == 0);
        self.bus.out32(self.port(POINTER), at);
        self.bus.out8(self.port(COMMAND), command);
    }

    fn command_at(&self, command: u8, offset: u16) {
        self.command(command, self.physical.wrapping_add(offset as u32));
    }

    #[inline(always)]
    fn at(&self, offset: u16) -> Addr {
        self.memory.plus(offset)
    }

    #[inline(always)]
    fn is_done(&self, offset: u16) -> bool {
        self.bus.get16(self.at(offset)) & DONE != 0
    }

    /// Waits until the card has executed the command at an offset.
    #[inline(never)]
    fn done(&self, offset: u16) -> bool {
        self.bus.wait_briefly(UNIT_LIMIT, || self.is_done(offset)).is_ok()
    }

    /// Waits for the frame that is being sent, then has the card execute the three commands that set it up.
    #[inline(never)]
    fn set_up(&mut self) {
        if !self.done(Layout::TRANSMIT) {
            self.restart();
            // The reset has stopped the receiver: it is started in the interrupt that this raises.
            self.bus.out8(self.port(MASK), MASK_OTHERS | MASK_RAISE);
        }
        self.bus.put16(self.at(Layout::GROUPS), 0);
        self.command_at(UNIT_START, Layout::CONFIGURE);
        self.done(Layout::GROUPS);
    }

    /// Resets the card and gives it the memory's addresses. Its interrupts are masked, and its receiver is off until
    /// [`Device::unmask`].
    #[inline(never)]
    pub fn restart(&mut self) {
        self.stop();
        self.command(UNIT_BASE, 0);
        self.command(RECEIVER_BASE, 0);
        self.command_at(COUNTERS_AT, Layout::COUNTERS);
        self.bus.put16(self.at(Layout::TRANSMIT), DONE | OK);
    }

    #[inline(never)]
    fn reset(&self, kind: u32) {
        self.bus.out32(self.port(PORT), kind);
        for _ in 0..RESET_LOOKS {
            self.bus.clock();
        }
    }

    /// Masks all interrupts.
    pub fn mask(&self) {
        self.bus.out8(self.port(MASK), MASK_ALL);
    }

    /// Accesses a PHY register as `what` says ([`MDI`]); returns what was read.
    #[inline(never)]
    pub fn mdi(&self, what: u32) -> u16 {
        self.bus.out32(self.port(MDI), what | (self.phy as u32) << 21);
        let _ = self.bus.wait_briefly(MDI_LIMIT, || self.bus.in32(self.port(MDI)) & MDI_READY != 0);
        self.bus.in32(self.port(MDI)) as u16
    }
}

impl<B: Bus> Device for I8255x<B> {
    fn irq(&mut self) -> Events {
        let causes = self.bus.in8(self.port(ACK));
        // All ones: the card has been removed.
        if causes == 0 || causes == 0xFF {
            return Events::NONE;
        }
        self.mask();
        self.bus.out8(self.port(ACK), causes);
        if causes & ACK_RNR != 0 {
            self.bus.put16(self.at(MARK), 0);
            self.command(COUNTERS_DUMP, 0);
            // The card writes A007h as the mark.
            if self.done(MARK) {
                let lost = self.bus.get32(self.at(NO_RESOURCES)).wrapping_add(self.bus.get32(self.at(NO_RESOURCES + 4)));
                self.count.lost = self.count.lost.wrapping_add(lost);
            }
        }
        Events::RX
    }

    fn unmask(&mut self) {
        if self.bus.in8(self.port(STATUS)) & STATUS_RECEIVER != STATUS_READY && !self.is_done(self.oldest) {
            self.command_at(RECEIVER_START, self.oldest);
        }
        self.bus.out8(self.port(MASK), MASK_OTHERS);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let slot = self.at(self.oldest);
        // QEMU marks a frame as done before it writes it; it answers a port access only after both.
        let _ = self.bus.in8(self.port(STATUS));
        let state = self.bus.get16(slot);
        if state & DONE == 0 {
            return None;
        }
        let len = self.bus.get16(slot.plus(BYTES)) & RX_BYTES;
        // A frame has at least a MAC header.
        if state & OK != 0 && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(slot.plus(DATA), head);
            if self.mode >= RcvMode::Broadcast || self.mode == RcvMode::Direct && head[0] & 1 == 0 {
                return Rx::new(len);
            }
        } else {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.at(self.oldest).plus(DATA), job);
    }

    fn discard(&mut self, _rx: Rx) {
        let slot = self.at(self.oldest);
        self.bus.put32(slot, LAST);
        self.bus.put16(self.at(self.last).plus(WORD), 0);
        self.last = self.oldest;
        let next = self.oldest.wrapping_add(SLOT);
        self.oldest = if next == self.end { Layout::RECEIVE } else { next };
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let block = self.at(Layout::TRANSMIT);
        let state = self.bus.get16(block);
        if state & DONE == 0 {
            self.busy = self.busy.wrapping_add(1);
            // So many polls: a working transmitter would have answered.
            if self.busy == 0 {
                self.set_up();
            }
            return Err(SendError::Busy);
        }
        self.busy = 0;
        if state & OK == 0 {
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
        let padded = stage(&self.bus, job, block.plus(DATA));
        self.bus.put32(block.plus(BYTES), padded as u32 | TX_WHOLE);
        self.bus.put32(block, TRANSMIT);
        self.command_at(UNIT_START, Layout::TRANSMIT);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.mode = mode;
        let bytes = if mode == RcvMode::Multicast { groups.len() as u16 * 6 } else { 0 };
        self.bus.put16(self.at(Layout::GROUPS + 8), bytes);
        self.bus.give_own(groups.as_ptr() as *const u8, self.at(Layout::GROUPS + 10), bytes);
        let promiscuous = (mode == RcvMode::Promiscuous) as u8;
        let silent = ((mode < RcvMode::Broadcast) as u8) << 1;
        self.bus.put8(self.at(MODE_BYTE), MODE_DEFAULT | promiscuous | silent);
        let all = ((mode >= RcvMode::AllMulticast) as u8) << 3;
        self.bus.put8(self.at(GROUP_BYTE), GROUP_DEFAULT | all);
        self.set_up();
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.bus.give_own(address.as_ptr(), self.at(Layout::ADDRESS + 8), 6);
        self.set_up();
    }

    fn link(&mut self) -> Link {
        if self.phy == 0 {
            return Link::Unknown;
        }
        if self.mdi(MDI_READ | (BMSR as u32) << 16) & BMSR_LINK != 0 { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        if self.phy == 0 {
            return 0;
        }
        let [control, own, partner] = [BMCR, ANAR, ANLPAR].map(|register| self.mdi(MDI_READ | (register as u32) << 16));
        mii::speed(control, own, partner)
    }

    fn stop(&mut self) {
        self.reset(PORT_SELECTIVE);
        self.reset(PORT_SOFTWARE);
        self.mask();
    }
}
