//! Realtek's gigabit controllers (8169, 8110, 8168, 8111, 8411), the 100 Mb/s ones of the same design (8101E to 8107E), and
//! the 2.5 gigabit ones (8125), driven through their ports.
//!
//! The memory is one block: the transmit descriptors, at offset 256 the receive descriptors, then transmit buffers, then
//! receive buffers. Buffer addresses are written once. A bit in each descriptor says whose it is.

use super::dp8390::hash;
use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Own address, 6 bytes: written by 32 bits, the high half first, and only while [`CR9346_CONFIG`].
pub const IDR0: u8 = 0x00;
/// Multicast hash filter, 8 bytes: written by 32 bits.
const MAR0: u8 = 0x08;
/// Address of the transmit descriptors (64 bits, the high half is written first).
const TNPDS: u8 = 0x20;
/// Command (8 bits).
pub const CR: u8 = 0x37;
/// Ends what is in progress, before a reset.
const   CR_STOP: u8 = 1 << 7;
/// Reset; clears itself when done.
const   CR_RST: u8 = 1 << 4;
/// Receiver and transmitter enable.
pub const   CR_RE_TE: u8 = 3 << 2;
/// Transmit poll (8 bits; see [`Rtl8169::kick`] for the 8125).
pub const TPPOLL: u8 = 0x38;
/// There are frames in the transmit ring.
const   TPPOLL_NPQ: u8 = 1 << 6;
/// Interrupt now, with [`ISR_SWINT`] as cause.
const   TPPOLL_FSWINT: u8 = 1 << 0;
/// Transmit poll of the 8125 (16 bits): bit 0.
const TPPOLL_8125: u8 = 0x90;
/// Interrupt mask (16 bits).
const IMR: u8 = 0x3C;
/// Interrupt status (16 bits, bits as in IMR, written with ones to clear).
const ISR: u8 = 0x3E;
/// Interrupt mask of the 8125 (32 bits).
const IMR_8125: u8 = 0x38;
/// Interrupt status of the 8125 (32 bits).
const ISR_8125: u8 = 0x3C;
const   ISR_ROK: u16 = 1 << 0;
const   ISR_RER: u16 = 1 << 1;
const   ISR_TER: u16 = 1 << 3;
/// No receive descriptor is free.
const   ISR_RDU: u16 = 1 << 4;
const   ISR_LINK: u16 = 1 << 5;
/// The receiver's FIFO overran.
const   ISR_FOVW: u16 = 1 << 6;
/// The software wanted an interrupt.
const   ISR_SWINT: u16 = 1 << 8;
/// The timer has reached [`TIMER_INT`].
const   ISR_TIMEOUT: u16 = 1 << 14;
/// Transmit configuration (32 bits).
pub const TCR: u8 = 0x40;
/// Bursts without limit; the interframe gap of 802.3.
pub const   TCR_VALUE: u32 = 3 << 24 | 7 << 8;
/// The FIFO's threshold is the card's ([`LATER`]).
pub const   TCR_AUTO_FIFO: u32 = 1 << 7;
/// Receive configuration (32 bits).
pub const RCR: u8 = 0x44;
/// Accept every address.
const   RCR_AAP: u8 = 1 << 0;
/// Accept the own address.
const   RCR_APM: u8 = 1 << 1;
/// Accept multicasts that the hash filter passes.
const   RCR_AM: u8 = 1 << 2;
/// Accept broadcasts.
const   RCR_AB: u8 = 1 << 3;
/// All bits that select frames.
pub const   RCR_ACCEPT: u32 = 0x3F;
/// Timer (32 bits); any write sets it to 0.
const TIMER: u8 = 0x48;
/// Value of the timer at which it interrupts (32 bits), 0: none.
const TIMER_INT: u8 = 0x58;
/// Some microseconds.
const   TIMER_SOON: u32 = 0x100;
/// EEPROM command (8 bits).
pub const CR9346: u8 = 0x50;
/// Configuration registers and IDR are writable.
pub const   CR9346_CONFIG: u8 = 3 << 6;
/// They are not.
pub const   CR9346_NORMAL: u8 = 0;
/// Multiple interrupt select (16 bits).
pub const MULINT: u8 = 0x5C;
/// State of the PHY (8 bits).
pub const PHYSTATUS: u8 = 0x6C;
/// There is a link.
pub const   PHYSTATUS_LINK: u8 = 1 << 1;
const   PHYSTATUS_100: u16 = 1 << 3;
const   PHYSTATUS_1000: u16 = 1 << 4;
const   PHYSTATUS_2500: u16 = 1 << 10;
/// Longest frame to receive (16 bits).
const RMS: u8 = 0xDA;
/// C+ command (16 bits).
pub const CPCR: u8 = 0xE0;
/// VLAN tags and checksums are looked at.
pub const   CPCR_UNWANTED: u16 = 3 << 5;
/// PCI multiple read and write, C+ receiver and transmitter (8169).
pub const   CPCR_PCI: u16 = 1 << 3 | 3;
/// Interrupt moderation (16 bits).
pub const MODERATION: u8 = 0xE2;
/// Address of the receive descriptors (64 bits, the high half is written first).
const RDSAR: u8 = 0xE4;
/// Longest frame to send, by 128 bytes; the threshold of early transmission (8169).
const MTPS: u8 = 0xEC;
/// Miscellaneous (32 bits; [`GATED`]).
pub const MISC: u8 = 0xF0;
/// Nothing reaches the receiver.
pub const   MISC_GATE: u32 = 1 << 19;

/// First word of a descriptor: the card owns it. Bits 13:0 are the buffer's size, then the frame's length.
const OWN: u32 = 1 << 31;
/// The last descriptor of the ring.
const EOR: u32 = 1 << 30;
/// First and last descriptor of a frame.
const FS_LS: u32 = 3 << 28;
const LENGTH: u16 = 0x3FFF;
/// Received with an error.
const RX_RES: u32 = 1 << 21;
/// Second word: VLAN tag and checksums. The third and fourth are the buffer's address.
const TAG: u16 = 4;
/// Bytes of a descriptor.
pub const DESC: u16 = 16;
/// Offset of the receive descriptors in the memory; both rings are aligned to this.
pub const RX_RING: u16 = 256;
/// Bytes of a buffer.
pub const BUFFER: u16 = 1536;
/// Bytes of the check sequence, which the card stores behind a frame.
const CRC: u16 = 4;

/// Limit of a reset in microseconds.
const RESET_LIMIT: u16 = 10_000;
/// BIOS ticks (55 ms) without room for a frame, with the cable in, after which the transmitter counts as hanging.
const HANG_TICKS: u16 = 10;
/// The BIOS's tick count.
const TICKS: Addr = Addr(0x46C);

// How a part differs from the others (`Rtl8169::part`).
/// 8169 and 8110: on PCI.
pub const ON_PCI: u8 = 1 << 0;
/// 8168E-VL and later.
pub const LATER: u8 = 1 << 1;
/// 8168G and later: firmware in the part may own the FIFO, and there is a gate in front of the receiver.
pub const GATED: u8 = 1 << 2;
/// 8168D: it is not asked to stop.
pub const NO_STOP: u8 = 1 << 3;
/// 8168F: its hash filter does not work.
pub const NO_HASH: u8 = 1 << 4;
/// 8168C: the link's interrupt comes without end. It is where the interrupt's cause is.
pub const STORMS: u8 = ISR_LINK as u8;
/// 8168B: after an overrun of its FIFO the receiver may not go on. It is where the overrun's cause is.
pub const WEDGES: u8 = ISR_FOVW as u8;

/// Registers that a reset may change, in the order in which they are written; but RCR is written last.
static REGISTERS: [u8; 9] = [RCR, IDR0 + 4, IDR0, MAR0, MAR0 + 4, TNPDS + 4, TNPDS, RDSAR + 4, RDSAR];
/// So many of them are read before a reset. The values of the others do not change.
const LIVE: usize = 5;
/// Offset in the memory, between the rings, of the values of [`REGISTERS`].
const KEPT: u16 = 64;
/// Offset of the values that do not change: those of [`REGISTERS`], then those of TCR, CPCR and MTPS.
pub const FIXED: u16 = KEPT + LIVE as u16 * 4;
const KEPT_TCR: u16 = KEPT + REGISTERS.len() as u16 * 4;
const KEPT_CPCR: u16 = KEPT_TCR + 4;
const KEPT_MTPS: u16 = KEPT_CPCR + 4;

/// The card has to be reset when the ring is empty.
const WEDGED: u8 = WEDGES;
/// A frame was given to the transmitter, and not found sent since.
const SENDS: u8 = 1;

/// Receive configuration for a receive mode (1 to 6).
static RCR_OF_MODE: [u8; 7] = {
    const BROADCAST: u8 = RCR_APM | RCR_AB;
    const GROUPS: u8 = BROADCAST | RCR_AM;
    [0, 0, RCR_APM, BROADCAST, GROUPS, GROUPS, GROUPS | RCR_AAP]
};

/// The card. `DEEP`: the rings in XMS are longer. `NEW`: an 8125.
#[repr(C)]
pub struct Rtl8169<B, const DEEP: bool, const NEW: bool> {
    /// The counters, for the core.
    pub count: Counters,
    /// The memory's address for the bus. (That for the card is a multiple of [`RX_RING`].)
    pub rings: Addr,
    /// The receive buffer whose frame was peeked at.
    pub peeked: Addr,
    /// First port.
    pub io: u16,
    /// BIOS tick at which a frame was last given to the transmitter.
    pub sent_at: u16,
    /// Number of the oldest receive descriptor.
    pub rx: u8,
    /// Number of the next transmit descriptor.
    pub tx: u8,
    /// [`WEDGED`] and [`SENDS`].
    pub state: u8,
    /// How the part differs; constant for an 8125.
    pub part: u8,
    /// The bus.
    pub bus: B,
}

impl<B: Bus, const DEEP: bool, const NEW: bool> Rtl8169<B, DEEP, NEW> {
    /// Receive descriptors, each with a buffer.
    pub const RX: u8 = if DEEP { 64 } else { 3 };
    /// Transmit descriptors, each with a buffer: a power of two.
    pub const TX: u8 = if DEEP { 4 } else { 1 };
    /// The cause of [`Rtl8169::provoke`].
    pub const PROVOKED: u16 = if NEW { ISR_TIMEOUT } else { ISR_SWINT };
    /// What interrupts.
    const CAUSES: u16 = ISR_ROK | ISR_RER | ISR_RDU | ISR_FOVW | ISR_LINK | Self::PROVOKED;
    /// Offset of the transmit buffers in the memory; the receive buffers follow.
    pub const BUFFERS: u16 = RX_RING + Self::RX as u16 * DESC;
    /// Bytes of the memory, and to align it.
    pub const BYTES: u32 = Self::BUFFERS as u32 + (Self::RX as u32 + Self::TX as u32) * BUFFER as u32 + RX_RING as u32 - 16;

    /// The same card with the long rings in XMS, as `start` has made them.
    pub fn deep(self) -> Rtl8169<B, true, NEW> {
        let Rtl8169 { count, rings, peeked, io, sent_at, rx, tx, state, part, bus } = self;
        Rtl8169 { count, rings, peeked, io, sent_at, rx, tx, state, part, bus }
    }

    #[inline(always)]
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    #[inline(always)]
    fn put8(&self, register: u8, value: u8) {
        self.bus.out8(self.port(register), value)
    }

    #[inline(always)]
    fn put16(&self, register: u8, value: u16) {
        self.bus.out16(self.port(register), value)
    }

    #[inline(always)]
    fn put32(&self, register: u8, value: u32) {
        self.bus.out32(self.port(register), value)
    }

    #[inline(always)]
    fn get32(&self, register: u8) -> u32 {
        self.bus.in32(self.port(register))
    }

    #[inline(always)]
    fn is(&self, part: u8) -> bool {
        if NEW { (LATER | GATED) & part != 0 } else { self.part & part != 0 }
    }

    /// Sets the interrupt mask.
    #[inline(always)]
    pub fn mask(&self, causes: u16) {
        if NEW { self.put32(IMR_8125, causes as u32) } else { self.put16(IMR, causes) }
    }

    /// The causes of interrupts; all ones: the card is gone.
    #[inline(always)]
    pub fn causes(&self) -> u16 {
        if NEW { self.get32(ISR_8125) as u16 } else { self.bus.in16(self.port(ISR)) }
    }

    /// Clears causes.
    #[inline(always)]
    pub fn acknowledge(&self, causes: u16) {
        if NEW { self.put32(ISR_8125, causes as u32) } else { self.put16(ISR, causes) }
    }

    /// Tells the card that there are frames to send.
    #[inline(always)]
    pub fn kick(&self) {
        if NEW { self.put16(TPPOLL_8125, 1) } else { self.put8(TPPOLL, TPPOLL_NPQ) }
    }

    /// Makes the card interrupt: by the timer if it is an 8125, which has no software interrupt.
    #[inline(always)]
    pub fn provoke(&self) {
        if NEW {
            self.put32(TIMER_INT, TIMER_SOON);
            self.put32(TIMER, 0);
        } else {
            self.put8(TPPOLL, TPPOLL_FSWINT);
        }
    }

    /// Stops the timer.
    #[inline(always)]
    pub fn calm(&self) {
        if NEW {
            self.put32(TIMER_INT, 0);
        }
    }

    #[inline(always)]
    fn tx_desc(&self, index: u8) -> Addr {
        self.rings.plus(index as u16 * DESC)
    }

    #[inline(always)]
    fn rx_desc(&self, index: u8) -> Addr {
        self.rings.plus(RX_RING + index as u16 * DESC)
    }

    #[inline(always)]
    fn buffer(&self, index: u8) -> Addr {
        Addr(self.rings.0.wrapping_add(Self::BUFFERS as u32 + index as u32 * BUFFER as u32))
    }

    /// A receive descriptor's buffer.
    #[inline(always)]
    fn rx_buffer(&self, index: u8) -> Addr {
        Addr(self.buffer(index).0.wrapping_add(Self::TX as u32 * BUFFER as u32))
    }

    /// Gives a receive descriptor, one of `count`, to the card.
    #[inline(never)]
    fn give(&self, index: u8, count: u8) {
        let desc = self.rx_desc(index);
        self.bus.put32(desc.plus(TAG), 0);
        self.bus.put32(desc, OWN | BUFFER as u32 | if index == count.wrapping_sub(1) { EOR } else { 0 });
    }

    fn ticks(&self) -> u16 {
        self.bus.get16(TICKS)
    }

    /// Waits until bits of the command register are clear. False: they stay set.
    #[inline(never)]
    fn clears(&self, bits: u8) -> bool {
        self.bus.wait_briefly(RESET_LIMIT, || self.bus.in8(self.port(CR)) & bits == 0).is_ok()
    }

    /// Stops interrupts and DMA, and resets the card. False: the reset does not end.
    #[inline(never)]
    pub fn reset(&self) -> bool {
        self.mask(0);
        self.calm();
        self.put32(RCR, self.get32(RCR) & !RCR_ACCEPT);
        let command = self.port(CR);
        if !NEW && self.part & (GATED | NO_STOP) == 0 {
            self.bus.out8(command, self.bus.in8(command) | CR_STOP);
        }
        // While receiver and transmitter are on, this is a pause, in which the FIFOs become empty.
        self.clears(CR_RE_TE);
        self.bus.out8(command, CR_RST);
        let done = self.clears(CR_RST);
        if self.is(GATED) {
            self.put32(MISC, self.get32(MISC) & !MISC_GATE);
        }
        done
    }

    /// A value that lies between the rings.
    #[inline(always)]
    fn kept(&self, offset: u16) -> u32 {
        self.bus.get32(self.rings.plus(offset))
    }

    /// Writes a register and reads it back: a bridge must not join the write with the next one.
    #[inline(never)]
    fn put_slowly(&self, register: u8, value: u32) {
        let port = self.port(register);
        self.bus.out32(port, value);
        self.bus.in32(port);
    }

    /// Resets the card and sets it up with an empty receive ring of so many descriptors. Frames in the transmit ring are sent
    /// from its first descriptor on, where `send` looks, too. Own address and filters stay; interrupts are masked. False: the
    /// reset does not end.
    #[inline(never)]
    pub fn open(&mut self, receive: u8) -> bool {
        let mut kept = self.rings.plus(KEPT);
        for register in REGISTERS.iter().take(LIVE) {
            self.bus.put32(kept, self.get32(*register));
            kept = kept.plus(4);
        }
        let done = self.reset();
        self.state = SENDS;
        self.rx = 0;
        self.tx = 0;
        for index in 0..receive {
            self.give(index, receive);
        }
        self.put8(CR9346, CR9346_CONFIG);
        self.put16(CPCR, self.kept(KEPT_CPCR) as u16);
        self.put16(RMS, BUFFER);
        self.put8(MTPS, self.kept(KEPT_MTPS) as u8);
        let [_, behind @ ..] = &REGISTERS;
        let mut kept = KEPT + 4;
        for register in behind {
            self.put_slowly(*register, self.kept(kept));
            kept += 4;
        }
        self.put8(CR9346, CR9346_NORMAL);
        // Some parts take TCR and RCR only while receiver and transmitter are on.
        self.put8(CR, CR_RE_TE);
        self.put32(TCR, self.kept(KEPT_TCR));
        self.put32(RCR, self.kept(KEPT));
        done
    }

    /// Restarts a card that hangs.
    #[inline(never)]
    fn recover(&mut self) {
        self.open(Self::RX);
        self.enable();
    }

    /// Enables the interrupts.
    #[inline(never)]
    fn enable(&mut self) {
        if self.state & SENDS != 0 {
            if self.bus.get32(self.tx_desc(if DEEP { self.tx.wrapping_sub(1) & (Self::TX - 1) } else { 0 })) & OWN != 0 {
                // The card may have missed the last kick, if it came soon after another.
                self.kick();
            } else {
                self.state &= !SENDS;
            }
        }
        self.mask(Self::CAUSES ^ if NEW { 0 } else { (self.part & STORMS) as u16 });
    }
}

impl<B: Bus, const DEEP: bool, const NEW: bool> Device for Rtl8169<B, DEEP, NEW> {
    // The causes are acknowledged before the ring is looked at. A frame that comes later sets its cause again, so that the
    // line rises when the card is unmasked. A frame that came earlier is in memory: a port's write ends after the card's
    // earlier writes.
    fn irq(&mut self) -> Events {
        let causes = self.causes();
        // All ones: the card is gone.
        if causes & Self::CAUSES == 0 || causes == !0 {
            return Events::NONE;
        }
        self.mask(0);
        self.acknowledge(causes);
        if causes & (ISR_RER | ISR_TER | ISR_RDU | ISR_FOVW) != 0 {
            let count = &mut self.count;
            if causes & ISR_RER != 0 {
                count.errors_in = count.errors_in.wrapping_add(1);
            }
            if causes & ISR_TER != 0 {
                count.errors_out = count.errors_out.wrapping_add(1);
            }
            if causes & (ISR_RDU | ISR_FOVW) != 0 {
                // No register of all parts counts frames, so this counts times.
                count.lost = count.lost.wrapping_add(1);
            }
            if !NEW {
                self.state |= causes as u8 & self.part & WEDGES;
            }
        }
        Events(Events::RX.0 | ((causes & ISR_LINK) / (ISR_LINK / Events::LINK.0 as u16)) as u8)
    }

    fn unmask(&mut self) {
        self.enable();
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let state = self.bus.get32(self.rx_desc(self.rx));
        if state & OWN != 0 {
            if self.state & WEDGED != 0 {
                self.recover();
            }
            return None;
        }
        let len = (state as u16 & LENGTH).wrapping_sub(CRC);
        // A frame has at least a MAC header.
        if state & (FS_LS | RX_RES) == FS_LS && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            // For `copy`, which would have to find it again.
            self.peeked = self.rx_buffer(self.rx);
            self.bus.take_head(self.peeked, head);
            return Rx::new(len);
        }
        self.count.errors_in = self.count.errors_in.wrapping_add(1);
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.peeked, job);
    }

    fn discard(&mut self, _rx: Rx) {
        let index = self.rx;
        let next = index.wrapping_add(1);
        self.rx = if DEEP { next & (Self::RX - 1) } else if next == Self::RX { 0 } else { next };
        self.give(index, Self::RX);
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        if self.bus.get32(self.tx_desc(if DEEP { self.tx } else { 0 })) & OWN != 0 {
            self.kick();
            let waited = self.ticks().wrapping_sub(self.sent_at);
            if waited >= HANG_TICKS && self.link() == Link::Up {
                // `peek` resets the card, which takes more stack than there is below a client's upcall. The interrupt calls it.
                self.state = WEDGED;
                self.provoke();
            }
            return Err(SendError::Busy);
        }
        let index = if DEEP { self.tx } else { 0 };
        let padded = stage(&self.bus, job, self.buffer(index));
        let end = if index == Self::TX - 1 { EOR } else { 0 };
        if DEEP {
            self.tx = index.wrapping_add(1) & (Self::TX - 1);
        }
        self.sent_at = self.ticks();
        self.state |= SENDS;
        self.bus.put32(self.tx_desc(index), OWN | FS_LS | end | padded as u32);
        self.kick();
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let (mut all, mut listed) = (!0, [].iter());
        if mode == RcvMode::Multicast && !self.is(NO_HASH) {
            (all, listed) = (0, groups.iter());
        }
        self.put32(MAR0, all);
        self.put32(MAR0 + 4, all);
        for group in listed {
            // On PCI Express the table's bytes are in reverse order.
            let bit = hash(group) ^ if self.is(ON_PCI) { 0 } else { 0x38 };
            let register = MAR0 + (bit >> 5 << 2);
            self.put32(register, self.get32(register) | 1 << (bit & 31));
        }
        self.put32(RCR, self.get32(RCR) & !RCR_ACCEPT | RCR_OF_MODE[mode as usize] as u32);
    }

    fn set_address(&mut self, address: &MacAddr) {
        let [a, b, c, d, e, f] = *address;
        self.put8(CR9346, CR9346_CONFIG);
        self.put_slowly(IDR0 + 4, u16::from_le_bytes([e, f]) as u32);
        self.put_slowly(IDR0, u32::from_le_bytes([a, b, c, d]));
        self.put8(CR9346, CR9346_NORMAL);
    }

    fn link(&mut self) -> Link {
        if self.bus.in8(self.port(PHYSTATUS)) & PHYSTATUS_LINK != 0 { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        let status = self.bus.in16(self.port(PHYSTATUS));
        match () {
            // Only the newer chips have a second byte here.
            () if NEW && status & PHYSTATUS_2500 != 0 => 2500,
            () if status & PHYSTATUS_1000 != 0 => 1000,
            () if status & PHYSTATUS_100 != 0 => 100,
            () => 10,
        }
    }

    fn stop(&mut self) {
        self.reset();
    }
}
