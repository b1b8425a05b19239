//! VMware's vmxnet3, by Linux's header and QEMU's model: no data sheet is public.
//!
//! One block of memory is shared with the device ([`Layout`]). A bit in each descriptor, which changes with every round of a
//! ring, tells both sides what is new. There are fewer buffers than descriptors: a buffer that is given back goes into the
//! descriptor as many places further on as there are buffers. Addresses are written once.

use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// First window: interrupt mask; 1: no interrupts.
pub const IMR: u16 = 0x000;
const TXPROD: u16 = 0x600;
/// Number of the receive descriptor behind the last one that the device owns.
pub const RXPROD: u16 = 0x800;

/// Second window: revisions of the device; writing selects one.
pub const VRRS: u16 = 0x00;
/// Revisions of the shared memory, likewise.
pub const UVRS: u16 = 0x08;
/// Address of the shared memory (64 bits): low half.
pub const DSAL: u16 = 0x10;
/// Its high half.
pub const DSAH: u16 = 0x18;
/// Command; reading gives the last command's answer.
const CMD: u16 = 0x20;
/// Start the device.
pub const   CMD_ACTIVATE: u32 = 0xCAFE_0000;
/// Stop the device.
const   CMD_QUIESCE: u32 = 0xCAFE_0001;
/// Reset the device.
pub const   CMD_RESET: u32 = 0xCAFE_0002;
const   CMD_UPDATE_RX_MODE: u32 = 0xCAFE_0003;
const   CMD_UPDATE_FILTERS: u32 = 0xCAFE_0004;
const   CMD_GET_STATS: u32 = 0xF00D_0001;
const   CMD_GET_LINK: u32 = 0xF00D_0002;
/// The address in ROM, first four bytes.
pub const   CMD_GET_MAC_LOW: u32 = 0xF00D_0003;
/// Its last two bytes.
pub const   CMD_GET_MAC_HIGH: u32 = 0xF00D_0004;
/// The address in use, first four bytes.
const MACL: u16 = 0x28;
/// Its last two bytes.
const MACH: u16 = 0x30;
/// Interrupt cause: 1 if the device interrupts. Reading acknowledges and masks ([`SHARED_INTERRUPTS`]).
const ICR: u16 = 0x38;
/// Acknowledges events ([`SHARED_ECR`]).
const ECR: u16 = 0x40;

/// Bytes of a descriptor.
pub const DESC: u16 = 16;
/// Transmit descriptors, and as many completions. The device wants a multiple of 32.
pub const TX_DESCS: u16 = 32;
/// Receive descriptors, and as many completions.
pub const RX_DESCS: u16 = 64;
/// Third word of a descriptor: length, and the round's bit. Of a receive completion: length, error.
pub const FLAGS: u16 = 8;
const   TX_GEN: u16 = 14;
/// Shift of the round's bit in a receive descriptor.
pub const   RX_GEN: u16 = 31;
const   LENGTH: u16 = 0x3FFF;
const   RX_ERROR: u16 = 1 << 14;
/// Fourth word of a transmit descriptor: end of packet, completion wanted.
pub const LAST: u16 = 12;
/// See [`LAST`].
pub const   TX_WHOLE: u32 = 1 << 12 | 1 << 13;
/// Fourth word of a completion: shift of the round's bit.
const   DONE_GEN: u16 = 31;
/// First word of a receive completion: number of the descriptor, and these bits: end and start of the packet.
const   RX_WHOLE: u16 = 3 << 14;

/// Offsets in the shared memory.
pub struct Layout;

impl Layout {
    /// Alignment of the memory, which aligns everything in it.
    pub const ALIGN: u32 = 512;
    /// Transmit descriptors.
    pub const TX: u16 = 0;
    /// Transmit completions.
    pub const TX_DONE: u16 = Self::TX + TX_DESCS * DESC;
    /// Receive descriptors.
    pub const RX: u16 = Self::TX_DONE + TX_DESCS * DESC;
    /// Receive completions.
    pub const RX_DONE: u16 = Self::RX + RX_DESCS * DESC;
    /// The queues' descriptors: transmit, receive (256 bytes each).
    pub const QUEUES: u16 = Self::RX_DONE + RX_DESCS * DESC;
    /// The structure that the device reads at a command (720 bytes).
    pub const SHARED: u16 = Self::QUEUES + 512;
    /// Multicast addresses.
    pub const GROUPS: u16 = Self::SHARED + 720;
    /// Buffers: receive, then transmit.
    pub const BUFFERS: u16 = Self::GROUPS + 48;
}

/// Bytes of a buffer. A longer frame is marked as an error.
pub const BUFFER: u16 = 1536;
/// How the device interrupts: offset in [`Layout::SHARED`].
pub const SHARED_INTERRUPTS: u16 = 80;
/// A read of [`ICR`] masks; interrupt number 0 is used for all causes.
pub const   MASKS_ITSELF: u32 = 1 | 1 << 8;
/// Receive mode: offset in [`Layout::SHARED`].
const SHARED_RX_MODE: u16 = 120;
const   RXM_UCAST: u8 = 1;
const   RXM_MCAST: u8 = 2;
const   RXM_BCAST: u8 = 4;
const   RXM_ALL_MULTI: u8 = 8;
const   RXM_PROMISC: u8 = 16;
/// Bytes of multicast addresses.
const SHARED_GROUPS: u16 = 124;
/// Pending events.
const SHARED_ECR: u16 = 696;
/// The link has changed. The same bit as [`Events::LINK`].
const   ECR_LINK: u32 = 1 << 2;
/// Not 0: the device wants [`RXPROD`] written when it gets descriptors. 0: it reads the descriptors anyway.
const TELL_RXPROD: u16 = Layout::QUEUES + 256;
/// Counter of frames without a free buffer, in the receive queue's statistics.
const OUT_OF_BUFFERS: u16 = Layout::QUEUES + 256 + 152;

/// An address for the shared memory of a stopped device: QEMU's writes there when a cable is pulled. It is the BIOS's ROM.
const NOWHERE: u32 = 0xF_0000;

/// The device's receive mode, by mode (1 to 6).
const RXM_OF_MODE: [u8; 7] = {
    const BROADCAST: u8 = RXM_UCAST | RXM_BCAST;
    const ALL: u8 = BROADCAST | RXM_MCAST | RXM_ALL_MULTI;
    [0, 0, RXM_UCAST, BROADCAST, BROADCAST | RXM_MCAST, ALL, ALL | RXM_PROMISC]
};

/// Gives a command by the second window, and returns its answer. Only for commands that have one: otherwise QEMU writes a
/// line to its log.
pub fn answer_to<B: Bus>(bus: &B, commands: Addr, number: u32) -> u32 {
    let at = commands.plus(CMD);
    bus.put32(at, number);
    bus.get32(at)
}

/// The card.
#[repr(C)]
pub struct Vmxnet3<B> {
    /// The counters, for the core.
    pub count: Counters,
    /// The first window.
    pub rings: Addr,
    /// The second window.
    pub commands: Addr,
    /// The shared memory.
    pub memory: Addr,
    /// The device's count of lost frames when it was last read.
    pub lost: u32,
    /// Frames received so far.
    pub rx: u16,
    /// Frames given to the transmitter so far.
    pub tx: u16,
    /// Receive buffers, a power of two; the transmit buffers follow.
    pub rx_buffers: u8,
    /// Transmit buffers, a power of two.
    pub tx_buffers: u8,
    /// The bus.
    pub bus: B,
}

impl<B: Bus> Vmxnet3<B> {
    /// Gives a command.
    #[inline(never)]
    fn command(&self, number: u32) {
        self.bus.put32(self.commands.plus(CMD), number);
    }

    /// Whether completion `number` of a ring of `size` (a power of two) has come.
    #[inline(always)]
    fn is_done(&self, ring: u16, number: u16, size: u16) -> bool {
        let at = self.memory.plus(ring + LAST + (number & (size - 1)) * DESC);
        // The device writes the bit as 1 in the first round, 0 in the second, and so on.
        let round = (number as u32) << (DONE_GEN - size.trailing_zeros() as u16);
        (self.bus.get32(at) ^ round) >> DONE_GEN != 0
    }

    /// Whether received frame `number` has come.
    #[inline(never)]
    fn has_come(&self, number: u16) -> bool {
        self.is_done(Layout::RX_DONE, number, RX_DESCS)
    }

    #[inline(never)]
    fn buffer(&self, index: u8) -> Addr {
        Addr(self.memory.0 + Layout::BUFFERS as u32 + index as u32 * BUFFER as u32)
    }

    #[inline(never)]
    fn rx_buffer(&self) -> Addr {
        self.buffer(self.rx as u8 & self.rx_buffers.wrapping_sub(1))
    }

    /// Gives receive descriptor `number` to the device.
    #[inline(always)]
    pub fn give(&self, number: u16) {
        let turn = if number & RX_DESCS == 0 { 1 << RX_GEN } else { 0 };
        let index = number & (RX_DESCS - 1);
        self.bus.put32(self.memory.plus(Layout::RX + FLAGS + index * DESC), turn | BUFFER as u32);
    }

    /// Counts the frames that the device has lost since the last call.
    #[inline(always)]
    fn count_lost(&mut self) {
        self.command(CMD_GET_STATS);
        let lost = self.bus.get32(self.memory.plus(OUT_OF_BUFFERS));
        self.count.lost = self.count.lost.wrapping_add(lost.wrapping_sub(self.lost));
        self.lost = lost;
    }

    fn shared(&self, offset: u16) -> Addr {
        self.memory.plus(Layout::SHARED + offset)
    }
}

impl<B: Bus> Device for Vmxnet3<B> {
    fn irq(&mut self) -> Events {
        // Not 1: no interrupt; all ones: the card has been removed.
        if self.bus.get32(self.commands.plus(ICR)) != 1 {
            return Events::NONE;
        }
        let events = self.bus.get32(self.shared(SHARED_ECR));
        if events != 0 {
            self.bus.put32(self.commands.plus(ECR), events);
        }
        Events(Events::RX.0 | (events & ECR_LINK) as u8)
    }

    fn unmask(&mut self) {
        let rings = self.rings;
        if self.bus.get8(self.memory.plus(TELL_RXPROD)) != 0 {
            let next = self.rx.wrapping_add(self.rx_buffers as u16) & (RX_DESCS - 1);
            self.bus.put32(rings.plus(RXPROD), next as u32);
        }
        self.bus.put32(rings.plus(IMR), 0);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        if !self.has_come(self.rx) {
            return None;
        }
        let index = self.rx & (RX_DESCS - 1);
        let done = self.memory.plus(Layout::RX_DONE + index * DESC);
        let packet = self.bus.get16(done);
        let flags = self.bus.get16(done.plus(FLAGS));
        let len = flags & LENGTH;
        // A frame has at least a MAC header.
        if packet == index | RX_WHOLE && flags & RX_ERROR == 0 && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(self.rx_buffer(), head);
            return Rx::new(len);
        }
        self.count.errors_in = self.count.errors_in.wrapping_add(1);
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.rx_buffer(), job);
    }

    fn discard(&mut self, _rx: Rx) {
        let given = self.rx.wrapping_add(self.rx_buffers as u16);
        self.rx = self.rx.wrapping_add(1);
        self.give(given);
        // The device loses frames only while all its buffers are full, and only `discard` frees one. They were full if the
        // last of them has a frame. This is read after `give`, so that no loss goes unnoticed between the two.
        if self.has_come(given.wrapping_sub(1)) {
            self.count_lost();
        }
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        // The completion of the frame that used this buffer before. At first, all read as those of a round before the first.
        if !self.is_done(Layout::TX_DONE, self.tx.wrapping_sub(self.tx_buffers as u16), TX_DESCS) {
            return Err(SendError::Busy);
        }
        let buffer = (self.tx as u8 & self.tx_buffers.wrapping_sub(1)).wrapping_add(self.rx_buffers);
        let padded = stage(&self.bus, job, self.buffer(buffer));
        let turn = !(self.tx << (TX_GEN - TX_DESCS.trailing_zeros() as u16)) & 1 << TX_GEN;
        let desc = self.memory.plus(Layout::TX + FLAGS + (self.tx & (TX_DESCS - 1)) * DESC);
        self.bus.put16(desc, padded | turn);
        self.tx = self.tx.wrapping_add(1);
        self.bus.put32(self.rings.plus(TXPROD), (self.tx & (TX_DESCS - 1)) as u32);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let bytes = groups.len() as u16 * 6;
        self.bus.give_own(groups.as_ptr() as *const u8, self.memory.plus(Layout::GROUPS), bytes);
        self.bus.put32(self.shared(SHARED_GROUPS), bytes as u32);
        self.bus.put32(self.shared(SHARED_RX_MODE), RXM_OF_MODE[mode as usize] as u32);
        self.command(CMD_UPDATE_FILTERS);
        self.command(CMD_UPDATE_RX_MODE);
    }

    fn set_address(&mut self, address: &MacAddr) {
        let [a, b, c, d, e, f] = *address;
        self.bus.put32(self.commands.plus(MACL), u32::from_le_bytes([a, b, c, d]));
        self.bus.put32(self.commands.plus(MACH), u32::from_le_bytes([e, f, 0, 0]));
    }

    fn link(&mut self) -> Link {
        if answer_to(&self.bus, self.commands, CMD_GET_LINK) & 1 != 0 { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        (answer_to(&self.bus, self.commands, CMD_GET_LINK) >> 16) as u16
    }

    fn stop(&mut self) {
        self.bus.put32(self.rings.plus(IMR), 1);
        self.command(CMD_QUIESCE);
        self.command(CMD_RESET);
        self.bus.put32(self.commands.plus(DSAL), NOWHERE);
        self.bus.put32(self.commands.plus(DSAH), 0);
    }
}
