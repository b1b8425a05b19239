//! virtio-net (OASIS Virtual I/O Device 1.2, section 5.1): the network card of QEMU, KVM and other hosts.
//!
//! Every buffer is a chain of two descriptors; the first has the header alone, as legacy devices require. So each queue is the
//! same on every device, and the descriptors are written once.
//!
//! The device raises no interrupt for sent frames. A receive interrupt disables further ones; `peek` enables them when it
//! finds the ring empty, and then reads the ring once more.

use super::virtio::*;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Offset of the link's state (16 bits) in the device's configuration, which begins with the address.
pub const CONFIG_STATUS: u32 = 6;
const   LINK_UP: u16 = 1 << 0;

/// Bytes of a buffer: header, frame, and some more, so that a frame that is too long is noticed.
pub const BUFFER: u32 = 1536;
/// Offset of the frame in a buffer. Legacy headers have ten bytes, modern ones twelve.
pub const FRAME: u32 = 12;
/// Limit of a command in microseconds. The host has to answer.
const COMMAND_LIMIT: u16 = 25_000;

// The control queue's memory.
/// Offset of the device's acknowledgement (byte).
pub const CONTROL_ACK: u32 = 0;
/// The command that sets the table of addresses:
pub const CONTROL_FILTER: u32 = 2;
/// its class and number.
pub const   CLASS_MAC_SET_TABLE: u16 = 0x0001;
/// The command that switches promiscuous mode:
pub const CONTROL_MODE: u32 = 4;
/// its class and number,
pub const   MODE_PROMISCUOUS: u16 = 0x0000;
/// and 1 or 0 (byte).
pub const CONTROL_ON: u32 = 6;
/// The table of addresses: number of own addresses (32 bits), one address, number of groups (32 bits), the groups.
pub const CONTROL_TABLE: u32 = 8;
/// The own address.
pub const CONTROL_ADDRESS: u32 = 12;
/// The number of groups.
pub const CONTROL_GROUPS: u32 = 18;
const CONTROL_GROUP: u32 = 22;
/// Groups in the table. Unused ones, and one more, hold the broadcast address.
pub const GROUPS: u32 = crate::resident::table::GROUPS as u32 + 2;
/// Bytes of the table.
pub const CONTROL_TABLE_SIZE: u32 = CONTROL_SIZE - CONTROL_TABLE;
/// Bytes of the control queue's memory.
pub const CONTROL_SIZE: u32 = CONTROL_GROUP + 6 * GROUPS;
const _: () = assert!(6 * GROUPS % 4 == 0);
/// First descriptor of the table's chain.
pub const CHAIN_FILTER: u16 = 0;
/// First descriptor of the mode's chain.
pub const CHAIN_MODE: u16 = 3;
/// Commands that are given at once: both.
pub const COMMANDS: u16 = 2;

/// Every address is wanted.
const ANY: u8 = 0x80;
/// By receive mode (1 to 6): number of wanted own addresses in the low byte, of groups in the high byte; or [`ANY`].
const WANTED: [u16; 7] = {
    const OWN: u16 = 1;
    const LISTED: u16 = (GROUPS as u16) << 8;
    const ALL: u16 = (ANY as u16) << 8;
    [0, 0, OWN, LISTED | OWN, LISTED | OWN, ALL | OWN, ALL | ANY as u16]
};

/// The card.
#[repr(C)]
pub struct VirtioNet<B> {
    /// The counters, for the core.
    pub count: Counters,
    /// The bus.
    pub bus: B,
    /// How registers are reached.
    pub access: Access,
    /// Interrupt status.
    pub isr: Register,
    /// Device status.
    pub status: Register,
    /// State of the link; 0: the device cannot tell.
    pub link: Register,
    /// The receive queue.
    pub rx: Queue,
    /// The transmit queue.
    pub tx: Queue,
    /// The control queue; its `notify` is 0 if the device has none.
    pub control: Queue,
    /// Number of own addresses that are wanted, 0 or 1; or [`ANY`].
    pub own: u8,
    /// Number of groups that are wanted; or [`ANY`].
    pub groups: u8,
    /// Bytes of the header in front of each frame.
    pub header: u16,
    /// First descriptor of the peeked frame's chain.
    pub chain: u16,
}

/// The address of the frame in a chain's buffer. A chain has two descriptors.
#[inline(always)]
fn frame_of(queue: &Queue, chain: u16) -> Addr {
    Addr(queue.buffers + FRAME + chain as u32 * (BUFFER / 2))
}

/// Pads a received frame with zeros to the shortest length, which it returns. Hosts send frames that were never on a wire.
#[inline(never)]
fn pad(bus: &impl Bus, slot: Addr, len: u16) -> u16 {
    let mut end = len;
    while end < MIN_FRAME {
        bus.put32(slot.plus(end), 0);
        end += 4;
    }
    if len < MIN_FRAME { MIN_FRAME } else { len }
}

impl<B: Bus> VirtioNet<B> {
    /// Has the device execute the commands in the control queue's memory, unless it has not answered the last ones. Whatever
    /// it does, [`Self::wanted`] filters each received frame.
    #[inline(never)]
    fn command(&mut self) {
        let bus = &self.bus;
        let queue = &mut self.control;
        if queue.notify == Register(0) || bus.get16(Addr(queue.used + INDEX)) != queue.next {
            return;
        }
        // The entries of the available ring name the two commands already.
        queue.next = queue.next.wrapping_add(COMMANDS);
        queue.offer(bus, self.access);
        let _ = bus.wait_briefly(COMMAND_LIMIT, || bus.get16(Addr(queue.used + INDEX)) == queue.next);
    }

    /// The filter for received frames. A device may pass more than it was told to.
    #[inline(always)]
    fn wanted(&self, head: &Head) -> bool {
        let [a, b, c, d, e, f, ..] = *head;
        let (low, high) = (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]));
        let (mut at, mut left) = (self.control.buffers + CONTROL_ADDRESS, self.own);
        if a & 1 != 0 {
            (at, left) = (self.control.buffers + CONTROL_GROUP, self.groups);
        }
        if left == ANY {
            return true;
        }
        while left != 0 {
            if self.bus.get32(Addr(at)) == low && self.bus.get16(Addr(at + 4)) == high {
                return true;
            }
            at += 6;
            left -= 1;
        }
        false
    }

    #[inline(always)]
    fn set_interrupts(&self, flags: u16) -> u16 {
        self.bus.swap16(Addr(self.rx.available + FLAGS), flags)
    }
}

impl<B: Bus> Device for VirtioNet<B> {
    fn link(&mut self) -> Link {
        if self.link == Register(0) {
            return Link::Unknown;
        }
        if self.access.read16(&self.bus, self.link) & LINK_UP != 0 { Link::Up } else { Link::Down }
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let bus = &self.bus;
        let queue = &mut self.tx;
        let back = queue.back(bus);
        if back == Addr(0) {
            return Err(SendError::Busy);
        }
        let chain = queue.chain(bus, back);
        let slot = frame_of(queue, chain);
        bus.give_frame(slot, job);
        let len = pad(bus, slot, job.len);
        // The length is in the chain's second descriptor.
        bus.put32(Addr(queue.descriptors + chain as u32 * DESCRIPTOR + DESCRIPTOR + DESCRIPTOR_LENGTH), len as u32);
        queue.give(&self.bus, self.access, chain);
        Ok(())
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let bus = &self.bus;
        let mut back = self.rx.back(bus);
        if back == Addr(0) {
            // From here on the device interrupts. Frames that came before are found by the second read, which is not needed
            // if interrupts were on already.
            if self.set_interrupts(0) == 0 {
                return None;
            }
            back = self.rx.back(bus);
            if back == Addr(0) {
                return None;
            }
        }
        self.chain = self.rx.chain(bus, back);
        let len = bus.get32(back.plus(USED_LENGTH)).wrapping_sub(self.header as u32);
        let slot = frame_of(&self.rx, self.chain);
        bus.take_head(slot, head);
        if !(14..=MAX_FRAME as u32).contains(&len) {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        } else if self.wanted(head) {
            return Rx::new(pad(bus, slot, len as u16));
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(frame_of(&self.rx, self.chain), job);
    }

    fn discard(&mut self, _rx: Rx) {
        self.rx.give(&self.bus, self.access, self.chain);
    }

    fn irq(&mut self) -> Events {
        let causes = self.access.read8(&self.bus, self.isr);
        // All ones: the card has been removed. 0: the interrupt is not this card's, and no event is returned below.
        if causes == 0xFF {
            return Events::NONE;
        }
        let mut events = (causes & ISR_CONFIGURATION) * (Events::LINK.0 / ISR_CONFIGURATION);
        if causes & ISR_QUEUE != 0 {
            self.set_interrupts(NO_INTERRUPT);
            events |= Events::OPEN.0;
        }
        Events(events)
    }

    fn unmask(&mut self) {
        // After `start` this makes the buffers known to the device; no frame came before. It does not enable interrupts:
        // they would not announce frames that are in the ring already. `peek` enables them.
        self.rx.offer(&self.bus, self.access);
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let [own, listed] = WANTED[mode as usize].to_le_bytes();
        self.own = own;
        self.groups = listed;
        let bus = &self.bus;
        let memory = self.control.buffers;
        bus.put16(Addr(memory + CONTROL_ON), (mode > RcvMode::Multicast) as u16);
        let table = Addr(memory + CONTROL_GROUP);
        let mut at = table;
        for _ in 0..6 * GROUPS / 4 {
            bus.put32(at, u32::MAX);
            at = at.plus(4);
        }
        if mode == RcvMode::Multicast {
            bus.give_own(groups.as_ptr() as *const u8, table, 6 * groups.len() as u16);
        }
        self.command();
    }

    fn set_address(&mut self, address: &MacAddr) {
        let bus = &self.bus;
        bus.give_own(address.as_ptr(), Addr(self.control.buffers + CONTROL_ADDRESS), 6);
        self.command();
    }

    fn stop(&mut self) {
        reset(&self.bus, self.access, self.status);
    }
}
