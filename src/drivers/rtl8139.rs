//! Realtek RTL8139 (A to D) and compatibles, driven through their ports.
//!
//! Received frames lie one behind another in a ring of bytes, each behind a header of four bytes; a frame that reaches the
//! ring's end continues at its start. In front of the ring there are four transmit buffers, or one if memory is short.

use super::dp8390::hash;
use super::staging::stage;
use crate::bus::{Addr, Bus, Far};
use crate::device::{Counters, Device, Events, Head, Job, LOOKAHEAD, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Own address, 6 bytes: written by 32 bits, and only while [`CR9346_CONFIG`].
pub const IDR0: u8 = 0x00;
/// Multicast hash filter, 8 bytes: written by 32 bits.
pub const MAR0: u8 = 0x08;
/// Transmit status of four descriptors (32 bits each), used in turn. Writing one starts a transmission.
pub const TSD0: u8 = 0x10;
/// The chip has read the frame (in TSD's second byte).
pub const   TSD_OWN: u8 = 1 << 5;
/// Transmission begins when 1,536 bytes, which means the whole frame, are in the chip: no underrun is possible.
pub const   TSD_WHOLE: u32 = 48 << 16;
/// Transmit start addresses of the four (32 bits each).
pub const TSAD0: u8 = 0x20;
/// Receive buffer start address (32 bits).
pub const RBSTART: u8 = 0x30;
/// Command (8 bits).
pub const CR: u8 = 0x37;
/// Buffer empty: there is no frame in the ring.
pub const   CR_BUFE: u8 = 1 << 0;
/// Transmitter enable.
pub const   CR_TE: u8 = 1 << 2;
/// Receiver enable.
pub const   CR_RE: u8 = 1 << 3;
/// Reset; clears itself when done.
pub const   CR_RST: u8 = 1 << 4;
/// Current address of packet read (16 bits): 16 less than the offset of the oldest frame.
pub const CAPR: u8 = 0x38;
/// Interrupt mask (16 bits).
pub const IMR: u8 = 0x3C;
/// Interrupt status (16 bits, bits as in IMR, written with ones to clear).
pub const ISR: u8 = 0x3E;
/// A frame was received.
pub const   ISR_ROK: u16 = 1 << 0;
/// A frame was received with an error.
pub const   ISR_RER: u16 = 1 << 1;
/// A transmission was given up after too many collisions, or failed otherwise.
pub const   ISR_TER: u16 = 1 << 3;
/// The ring is full. The cause cannot be cleared before frames have been taken out.
pub const   ISR_RXOVW: u16 = 1 << 4;
/// The link has changed, or a packet was damaged while it was received (PUN).
pub const   ISR_LINK: u16 = 1 << 5;
/// The receiver's FIFO overran.
pub const   ISR_FOVW: u16 = 1 << 6;
/// Transmit configuration (32 bits). Written only while the transmitter is enabled.
pub const TCR: u8 = 0x40;
/// Clear abort: sends the aborted frame again; the transmitter stops until this is written.
pub const   TCR_CLRABT: u32 = 1 << 0;
/// Bursts of 1,024 bytes.
pub const   TCR_MXDMA_1024: u32 = 6 << 8;
/// The interframe gap of 802.3.
pub const   TCR_IFG_STANDARD: u32 = 3 << 24;
/// Receive configuration (32 bits).
pub const RCR: u8 = 0x44;
/// Accept every address.
pub const   RCR_AAP: u32 = 1 << 0;
/// Accept the own address.
pub const   RCR_APM: u32 = 1 << 1;
/// Accept multicasts that the hash filter passes.
pub const   RCR_AM: u32 = 1 << 2;
/// Accept broadcasts.
pub const   RCR_AB: u32 = 1 << 3;
/// All bits that select frames.
pub const   RCR_ACCEPT: u32 = 0x3F;
/// Bursts without limit.
pub const   RCR_MXDMA_UNLIMITED: u32 = 7 << 8;
/// A ring of 8 KB and 16 bytes.
pub const   RCR_RBLEN_8K: u32 = 0 << 11;
/// A ring of 64 KB and 16 bytes.
pub const   RCR_RBLEN_64K: u32 = 3 << 11;
/// The chip transfers a frame when all of it is in the FIFO.
pub const   RCR_RXFTH_WHOLE: u32 = 7 << 13;
/// Missed packet counter (24 bits; any write clears it).
pub const MPC: u8 = 0x4C;
/// EEPROM command (8 bits).
pub const CR9346: u8 = 0x50;
/// Reloads the EEPROM, the address included, then returns to [`CR9346_NORMAL`].
pub const   CR9346_AUTOLOAD: u8 = 1 << 6;
/// Configuration registers and IDR are writable.
pub const   CR9346_CONFIG: u8 = 3 << 6;
/// They are not.
pub const   CR9346_NORMAL: u8 = 0;
/// Media status (8 bits).
pub const MSR: u8 = 0x58;
/// No link.
pub const   MSR_LINKB: u8 = 1 << 2;
/// 10 Mbit/s; otherwise 100.
const   MSR_SPEED_10: u8 = 1 << 3;

/// Header of a frame, low half: received without errors.
const HEADER_ROK: u32 = 1 << 0;
/// Header of a frame, high half, instead of a length: the chip is still writing the frame.
const UNFINISHED: u16 = 0xFFF0;
/// Bytes of the check sequence, which the chip stores behind the frame.
const CRC: u16 = 4;
/// The longest frame that the chip accepts, in bytes with its check sequence.
const LONGEST: u16 = 0x1000;

/// Causes that interrupt.
const CAUSES: u16 = RX_CAUSES | ISR_TER | ISR_LINK;
const RX_CAUSES: u16 = ISR_ROK | ISR_RER | ISR_RXOVW | ISR_FOVW;
const TCR_VALUE: u32 = TCR_IFG_STANDARD | TCR_MXDMA_1024;
/// Limit of a reset, or of a stop of the receiver, in microseconds.
const RESET_LIMIT: u16 = 10_000;
/// Most bad frames that one call discards.
const BAD_LIMIT: u8 = 16;

/// Receive configuration for a receive mode (1 to 6).
const RCR_OF_MODE: [u8; 7] = {
    const DIRECT: u8 = RCR_APM as u8;
    const BROADCAST: u8 = DIRECT | RCR_AB as u8;
    const GROUPS: u8 = BROADCAST | RCR_AM as u8;
    [0, 0, DIRECT, BROADCAST, GROUPS, GROUPS, GROUPS | RCR_AAP as u8]
};

/// The card. `DEEP`: a ring of 64 KB and four transmit buffers in XMS, otherwise 8 KB and one.
#[repr(C)]
pub struct Rtl8139<B, const DEEP: bool> {
    count: Counters,
    /// The ring; the transmit buffers end where it begins.
    ring: Addr,
    io: u16,
    /// Offset in the ring of the oldest frame's header.
    head: u16,
    /// Times in a row that no transmit descriptor was free.
    busy: u16,
    /// Four times the number of the next transmit descriptor.
    slot: u8,
    bus: B,
}

/// Bytes in front of the ring with one transmit buffer: room for a frame, a multiple of 16.
pub const TX_ONE: u16 = 0x5F0;
/// Bytes in front of the ring with four transmit buffers.
pub const TX_FOUR: u16 = 4 * 0x800;
/// Bytes of the ring in XMS.
pub const RING_DEEP: u32 = 0x1_0010;
/// Bytes of the ring in conventional memory.
pub const RING_LOW: u32 = 0x2010;

impl<B: Bus, const DEEP: bool> Rtl8139<B, DEEP> {
    const RING_MASK: u16 = if DEEP { 0xFFFF } else { 0x1FFF };

    /// The driver of a card at `io` that is not [opened](Self::open) yet; `ring` is the ring's address for the bus.
    pub fn new(bus: B, io: u16, ring: Addr) -> Self {
        Rtl8139 { count: Counters::default(), ring, io, head: 0, busy: 0, slot: 0, bus }
    }

    /// The same card, for code that does not use the ring.
    pub fn shallow(self) -> Rtl8139<B, false> {
        let Rtl8139 { count, ring, io, head, busy, slot, bus } = self;
        Rtl8139 { count, ring, io, head, busy, slot, bus }
    }

    #[inline(always)]
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
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
    fn put16(&self, register: u8, value: u16) {
        self.bus.out16(self.port(register), value)
    }

    /// Gives a command, and waits until its bits `busy` are clear. False: they stay set.
    #[inline(never)]
    fn command(&self, value: u8, busy: u8) -> bool {
        let port = self.port(CR);
        self.bus.out8(port, value);
        self.bus.wait_briefly(RESET_LIMIT, || self.bus.in8(port) & busy == 0).is_ok()
    }

    /// The transmit buffer of a descriptor, by its distance from the ring.
    #[inline(always)]
    fn buffer(slot: u8) -> u32 {
        if DEEP { 0x800 + ((slot as u16) << 9) as u32 } else { TX_ONE as u32 }
    }

    /// Resets the chip and sets it up: receiver and transmitter on, interrupts masked. A reset keeps own address and hash
    /// filter. `physical` is the ring's address for the card. False: the reset does not end.
    #[inline(never)]
    pub fn open(&mut self, physical: u32, rcr: u32) -> bool {
        let done = self.command(CR_RST, CR_RST);
        self.slot = 0;
        self.put32(RBSTART, physical);
        for slot in 0..4 {
            self.put32(TSAD0 + 4 * slot, physical.wrapping_sub(Self::buffer(4 * slot)));
        }
        self.bus.out8(self.port(CR), CR_TE);
        self.put32(TCR, TCR_VALUE);
        self.listen(rcr);
        done
    }

    /// Starts the receiver with an empty ring. QEMU empties the ring when RCR is written, the chip when its receiver is
    /// switched on.
    #[inline(never)]
    fn listen(&mut self, rcr: u32) {
        self.command(CR_TE, CR_RE);
        self.head = 0;
        self.bus.out8(self.port(CR), CR_TE | CR_RE);
        self.put32(RCR, rcr);
        self.put16(CAPR, 0u16.wrapping_sub(16));
    }

    /// Restarts a chip that hangs, or whose headers make no sense.
    #[inline(never)]
    fn recover(&mut self) {
        let physical = self.get32(RBSTART);
        let rcr = self.get32(RCR);
        let mask = self.bus.in16(self.port(IMR));
        self.open(physical, rcr);
        self.put16(IMR, mask);
    }

    /// The length in the oldest frame's header, check sequence included; [`UNFINISHED`] if there is no frame.
    #[inline(always)]
    fn next(&self) -> u32 {
        // A card that has been removed reads as all ones: empty.
        if self.bus.in8(self.port(CR)) & CR_BUFE != 0 {
            return (UNFINISHED as u32) << 16;
        }
        self.bus.get32(Addr(self.ring.0.wrapping_add(self.head as u32)))
    }

    /// Copies the first `len` bytes (at least 1) of the oldest frame.
    #[inline(never)]
    fn take(&self, to: Far, len: u16) {
        let from = self.head.wrapping_add(4) & Self::RING_MASK;
        let most = Self::RING_MASK - from;
        let first = if most < len { most.wrapping_add(1) } else { len };
        self.bus.take(Addr(self.ring.0.wrapping_add(from as u32)), to, first);
        if first < len {
            self.bus.take(self.ring, to.plus(first), len - first);
        }
    }

    /// Frees the oldest frame, of `len` bytes without its check sequence.
    #[inline(never)]
    fn drop(&mut self, len: u16) {
        self.head = (self.head.wrapping_add(len).wrapping_add(4 + CRC + 3) & !3) & Self::RING_MASK;
        self.put16(CAPR, self.head.wrapping_sub(16));
    }
}

impl<B: Bus, const DEEP: bool> Device for Rtl8139<B, DEEP> {
    // Receive causes are acknowledged when the ring is found empty (`peek`). So a frame that stays in the ring keeps its
    // cause, and the line rises again when the card is unmasked.
    fn irq(&mut self) -> Events {
        let isr = self.bus.in16(self.port(ISR));
        if isr & CAUSES == 0 || isr == 0xFFFF {
            return Events::NONE;
        }
        self.put16(IMR, 0);
        let count = &mut self.count;
        if isr & ISR_RER != 0 {
            count.errors_in = count.errors_in.wrapping_add(1);
        }
        if isr & (ISR_TER | ISR_LINK) != 0 {
            if isr & ISR_TER != 0 {
                count.errors_out = count.errors_out.wrapping_add(1);
                self.put32(TCR, TCR_VALUE | TCR_CLRABT);
            }
            self.put16(ISR, isr & (ISR_TER | ISR_LINK));
        }
        if isr & (ISR_RXOVW | ISR_FOVW) != 0 {
            let missed = self.get32(MPC) & 0xFF_FFFF;
            self.count.lost = self.count.lost.wrapping_add(missed);
            self.put32(MPC, 0);
        }
        Events(Events::RX.0 | ((isr & ISR_LINK) / (ISR_LINK / Events::LINK.0 as u16)) as u8)
    }

    fn unmask(&mut self) {
        self.put16(IMR, CAUSES);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        for _ in 0..BAD_LIMIT {
            let mut header = self.next();
            if (header >> 16) as u16 == UNFINISHED {
                // The cause of a full ring can be cleared only now, after frames were taken out.
                self.put16(ISR, RX_CAUSES);
                header = self.next();
                if (header >> 16) as u16 == UNFINISHED {
                    return None;
                }
            }
            let len = ((header >> 16) as u16).wrapping_sub(CRC);
            if len <= MAX_FRAME && len >= 14 && header & HEADER_ROK != 0 {
                self.take(self.bus.far_of(head.as_ptr()), LOOKAHEAD as u16);
                return Rx::new(len);
            }
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
            if header & HEADER_ROK == 0 || len > LONGEST {
                // The length is wrong, so the start of the next frame is unknown.
                break;
            }
            self.drop(len);
        }
        // Or there were BAD_LIMIT bad frames. A good frame behind them may have come before the acknowledge above: then no
        // interrupt announces it. So the ring is emptied in both cases.
        self.recover();
        None
    }

    fn copy(&mut self, job: &Job) {
        self.take(job.at, job.len);
    }

    fn discard(&mut self, rx: Rx) {
        self.drop(rx.len());
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        // The buffer is free when the frame that used it last is in the chip: four frames ago, or the last one.
        let last = if DEEP { self.slot } else { self.slot.wrapping_sub(4) & 12 };
        if self.bus.in8(self.port(TSD0 + 1 + last)) & TSD_OWN == 0 {
            self.busy = self.busy.wrapping_add(1);
            // So many polls: a working transmitter would have answered.
            if self.busy == 0 {
                self.recover();
            }
            return Err(SendError::Busy);
        }
        self.busy = 0;
        let slot = self.slot;
        let to = Addr(self.ring.0.wrapping_sub(Self::buffer(slot)));
        let padded = stage(&self.bus, job, to);
        self.slot = slot.wrapping_add(4) & 12;
        self.put32(TSD0 + slot, padded as u32 | TSD_WHOLE);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let all = if mode > RcvMode::Multicast { !0 } else { 0 };
        self.put32(MAR0, all);
        self.put32(MAR0 + 4, all);
        if mode == RcvMode::Multicast {
            for group in groups {
                let bit = hash(group);
                let register = MAR0 + (bit >> 5 << 2);
                self.put32(register, self.get32(register) | 1 << (bit & 31));
            }
        }
        let old = self.get32(RCR);
        let rcr = old & !RCR_ACCEPT | RCR_OF_MODE[mode as usize] as u32;
        if rcr != old {
            self.listen(rcr);
        }
    }

    fn set_address(&mut self, address: &MacAddr) {
        let [a, b, c, d, e, f] = *address;
        self.bus.out8(self.port(CR9346), CR9346_CONFIG);
        self.put32(IDR0, u32::from_le_bytes([a, b, c, d]));
        self.put32(IDR0 + 4, u16::from_le_bytes([e, f]) as u32);
        self.bus.out8(self.port(CR9346), CR9346_NORMAL);
    }

    fn link(&mut self) -> Link {
        if self.bus.in8(self.port(MSR)) & MSR_LINKB != 0 { Link::Down } else { Link::Up }
    }

    fn speed(&mut self) -> u16 {
        if self.bus.in8(self.port(MSR)) & MSR_SPEED_10 != 0 { 10 } else { 100 }
    }

    fn stop(&mut self) {
        self.put16(IMR, 0);
        self.command(CR_RST, CR_RST);
    }
}
