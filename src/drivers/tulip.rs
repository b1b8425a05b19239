//! Intel (once Digital) 21142 and 21143, driven through their ports (21143 Hardware Reference Manual).
//!
//! The memory is one block: two transmit descriptors, used in turn, and their one buffer; receive descriptors in a ring, each
//! followed by its buffer. Addresses are written once. The address filter is sent to the chip like a frame, in the same
//! buffer.

use super::mii::{self, ANAR, ANLPAR, BMCR, BMSR, BMSR_LINK};
use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Bus mode.
pub const CSR0: u8 = 0x00;
/// Software reset.
pub const   CSR0_SWR: u32 = 1 << 0;
/// Bursts of at most 8 double words, aligned to 8.
pub const   CSR0_BURSTS: u32 = 1 << 14 | 8 << 8;
/// Transmit poll demand.
pub const CSR1: u8 = 0x08;
/// Receive poll demand.
const CSR2: u8 = 0x10;
/// Address of the first receive descriptor.
pub const CSR3: u8 = 0x18;
/// Address of the first transmit descriptor.
pub const CSR4: u8 = 0x20;
/// Status; writing ones clears causes.
pub const CSR5: u8 = 0x28;
/// A frame was received.
const   CSR5_RI: u32 = 1 << 6;
/// No receive descriptor is free.
const   CSR5_RU: u32 = 1 << 7;
/// Summary of the abnormal causes (enabled in CSR7).
const   CSR5_AIS: u32 = 1 << 15;
/// Summary of the normal causes (enabled in CSR7).
pub const   CSR5_NIS: u32 = 1 << 16;
/// State of the receiver; 0: stopped.
const   CSR5_RS: u32 = 7 << 17;
/// State of the transmitter; 0: stopped.
const   CSR5_TS: u32 = 7 << 20;
/// Operation mode.
pub const CSR6: u8 = 0x30;
/// Start the receiver.
const   CSR6_SR: u8 = 1 << 1;
/// Promiscuous: every frame.
const   CSR6_PR: u8 = 1 << 6;
/// Pass all multicasts.
const   CSR6_PM: u8 = 1 << 7;
/// Start the transmitter.
pub const   CSR6_ST: u32 = 1 << 13;
/// Port select: MII.
pub const   CSR6_PS: u32 = 1 << 18;
/// Heartbeat disable.
pub const   CSR6_HBD: u32 = 1 << 19;
/// Store and forward: a frame is sent when all of it is in the FIFO.
pub const   CSR6_SF: u32 = 1 << 21;
/// 10 Mb/s.
pub const   CSR6_TTM: u32 = 1 << 22;
/// A bit that must be written as one.
pub const   CSR6_MBO: u32 = 1 << 25;
/// Interrupt mask, bits as in CSR5.
pub const CSR7: u8 = 0x38;
/// Frames without a free descriptor; in bits 27:17 frames that overran the FIFO. Reading clears it.
const CSR8: u8 = 0x40;
/// Serial ROM and MII management.
pub const CSR9: u8 = 0x48;
/// MII clock.
const   CSR9_MDC: u32 = 1 << 16;
/// Data to the PHY.
const   CSR9_MDO: u32 = 1 << 17;
/// The PHY drives the data wire.
const   CSR9_MII: u32 = 1 << 18;
/// Data from the PHY.
const   CSR9_MDI: u32 = 1 << 19;
/// SIA status.
pub const CSR12: u8 = 0x60;
/// No link at 10 Mb/s.
const   CSR12_LS10: u8 = 1 << 2;

/// First word of a descriptor: the chip owns it. The high half is a received frame's length.
pub const OWN: u32 = 1 << 31;
const   LENGTH: u16 = 0x3FFF;
/// Error summary.
const   ES: u32 = 1 << 15;
/// Received: first descriptor of a frame; the next constant: its last.
const   RX_FS: u32 = 1 << 9;
const   RX_LS: u32 = 1 << 8;
/// Second word: sizes and flags. (The third is the buffer's address, the fourth that of the next descriptor.)
const CONTROL: u16 = 4;
/// The fourth word is the address of the next descriptor.
pub const   CHAINED: u32 = 1 << 24;
/// Transmit: first and last descriptor of a frame.
const   TX_FRAME: u32 = 1 << 30 | 1 << 29;
/// Transmit: the address filter, 16 addresses for perfect matching.
const   TX_SETUP: u32 = 1 << 27;
const   SETUP_BYTES: u32 = 192;
/// Bytes of an address in the filter: each double word holds two bytes of it.
const   ENTRY: u16 = 12;
/// Bytes of a descriptor.
pub const DESCRIPTOR: u16 = 16;
/// Bytes of a buffer.
pub const BUFFER: u16 = 1536;
/// Bytes of a receive descriptor and its buffer.
pub const SLOT: u16 = DESCRIPTOR + BUFFER;
/// Bytes of the check sequence, which the chip stores behind a frame.
const CRC: u16 = 4;

/// Offset of the transmit buffer in the memory, behind both descriptors.
pub const TRANSMIT: u16 = 2 * DESCRIPTOR;
/// Offset of the ring.
pub const RECEIVE: u16 = TRANSMIT + BUFFER;

/// Limit in microseconds for a frame to be sent at 10 Mb/s with its collisions. All other waits are shorter.
const LIMIT: u16 = 20_000;
/// Causes that interrupt.
const CAUSES: u32 = CSR5_RI | CSR5_RU;

/// The end of the preamble, then start and read opcode of a management frame.
const MII_READ: u32 = !0 << 14 | 0b0110 << 10;
/// The address in the filter that lets broadcasts pass.
static BROADCAST: MacAddr = [0xFF; 6];

/// CSR6 by receive mode (1 to 6).
static CSR6_OF_MODE: [u8; 7] = {
    const ALL: u8 = CSR6_SR | CSR6_PM;
    [0, 0, CSR6_SR, CSR6_SR, CSR6_SR, ALL, ALL | CSR6_PR]
};

/// The card.
#[repr(C)]
pub struct Tulip<B> {
    /// The counters, for the core.
    pub count: Counters,
    /// The memory's address for the bus.
    pub memory: Addr,
    /// First port.
    pub io: u16,
    /// Times in a row that the transmit buffer was in use.
    pub busy: u16,
    /// Offset of the next transmit descriptor: 0 or 16.
    pub tx: u16,
    /// Offset of the oldest receive descriptor.
    pub rx: u16,
    /// Offset of the ring's end.
    pub end: u16,
    /// The own address.
    pub mac: MacAddr,
    /// The PHY's address; above 31: none, and the chip's own 10BASE-T port is in use.
    pub phy: u8,
    /// The mode in force. QEMU's card accepts broadcasts in every mode.
    pub mode: RcvMode,
    /// The bus.
    pub bus: B,
}

impl<B: Bus> Tulip<B> {
    #[inline(always)]
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    /// Reads a register.
    #[inline(always)]
    pub fn get(&self, register: u8) -> u32 {
        self.bus.in32(self.port(register))
    }

    /// Writes a register.
    #[inline(always)]
    pub fn put(&self, register: u8, value: u32) {
        self.bus.out32(self.port(register), value)
    }

    #[inline(always)]
    fn at(&self, offset: u16) -> Addr {
        self.memory.plus(offset)
    }

    /// One cycle of the PHY's management clock; returns the PHY's bit before it.
    #[inline(never)]
    fn mii_clock(&self, wires: u32) -> bool {
        self.put(CSR9, wires);
        let bit = self.get(CSR9) & CSR9_MDI != 0;
        self.put(CSR9, wires | CSR9_MDC);
        bit
    }

    /// Writes 32 bits to the PHY, highest first.
    #[inline(never)]
    pub fn mii_put(&self, mut bits: u32) {
        for _ in 0..32u8 {
            self.mii_clock(bits >> 14 & CSR9_MDO);
            bits <<= 1;
        }
    }

    /// Reads a register of the PHY.
    #[inline(never)]
    pub fn mii_get(&self, register: u8) -> u16 {
        self.mii_put(!0);
        self.mii_put(MII_READ | (self.phy as u32) << 5 | register as u32);
        // Two clocks turn the wire around; 16 bits follow.
        (0..18u8).fold(0, |word: u16, _| word << 1 | self.mii_clock(CSR9_MII) as u16)
    }

    /// Waits until the last transmit descriptor is the driver's again; restarts the transmitter if that takes too long.
    #[inline(never)]
    fn drain(&mut self) {
        let last = self.at(self.tx ^ DESCRIPTOR);
        if self.bus.wait_briefly(LIMIT, || self.bus.get32(last) & OWN == 0).is_err() {
            let control = self.get(CSR6);
            self.pause(control & !CSR6_ST, CSR5_TS);
            self.bus.put32(last, 0);
            self.tx = 0;
            self.put(CSR4, self.get(CSR4));
            self.put(CSR6, control);
        }
    }

    /// Writes CSR6, and waits until the unit with these state bits in CSR5 has stopped.
    #[inline(never)]
    fn pause(&self, control: u32, state: u32) {
        self.put(CSR6, control);
        let _ = self.bus.wait_briefly(LIMIT, || self.get(CSR5) & state == 0);
    }

    /// Writes an address into the filter.
    #[inline(never)]
    fn enter(&self, to: Addr, address: &MacAddr) {
        let [a, b, c, d, e, f] = *address;
        self.bus.put16(to, u16::from_le_bytes([a, b]));
        self.bus.put16(to.plus(4), u16::from_le_bytes([c, d]));
        self.bus.put16(to.plus(8), u16::from_le_bytes([e, f]));
    }

    /// Gives the transmit buffer to the chip.
    #[inline(never)]
    fn give(&mut self, control: u32) {
        let descriptor = self.at(self.tx);
        self.bus.put32(descriptor.plus(CONTROL), control | CHAINED);
        self.bus.put32(descriptor, OWN);
        self.tx ^= DESCRIPTOR;
        self.put(CSR1, 0);
    }
}

impl<B: Bus> Device for Tulip<B> {
    fn irq(&mut self) -> Events {
        let causes = self.get(CSR5);
        // All ones: the card has been removed.
        if causes & CAUSES == 0 || causes == !0 {
            return Events::NONE;
        }
        self.put(CSR7, 0);
        self.put(CSR5, causes);
        let lost = self.get(CSR8);
        self.count.lost = self.count.lost.wrapping_add((lost & 0xFFFF) + (lost >> 17 & 0x7FF));
        Events::RX
    }

    fn unmask(&mut self) {
        self.put(CSR2, 0);
        self.put(CSR7, CAUSES | CSR5_AIS | CSR5_NIS);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let slot = self.at(self.rx);
        let state = self.bus.get32(slot);
        if state & OWN != 0 {
            return None;
        }
        let len = ((state >> 16) as u16 & LENGTH).wrapping_sub(CRC);
        // A frame has at least a MAC header.
        if state & (ES | RX_FS | RX_LS) == RX_FS | RX_LS && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(slot.plus(DESCRIPTOR), head);
            if self.mode >= RcvMode::Broadcast || self.mode == RcvMode::Direct && head[0] & 1 == 0 {
                return Rx::new(len);
            }
        } else if state & RX_FS != 0 {
            // A frame that is too long takes several descriptors, of which one is the first: it is counted once.
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.at(self.rx).plus(DESCRIPTOR), job);
    }

    fn discard(&mut self, _rx: Rx) {
        self.bus.put32(self.at(self.rx), OWN);
        let next = self.rx.wrapping_add(SLOT);
        self.rx = if next == self.end { RECEIVE } else { next };
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let state = self.bus.get32(self.at(self.tx ^ DESCRIPTOR));
        if state & OWN != 0 {
            self.busy = self.busy.wrapping_add(1);
            // So many polls: a working transmitter would have answered.
            if self.busy == 0 {
                self.drain();
            }
            return Err(SendError::Busy);
        }
        self.busy = 0;
        if state & ES != 0 {
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
        let padded = stage(&self.bus, job, self.at(TRANSMIT));
        self.give(padded as u32 | TX_FRAME);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.mode = mode;
        self.drain();
        let control = self.get(CSR6) & !((CSR6_SR | CSR6_PR | CSR6_PM) as u32);
        self.pause(control, CSR5_RS);
        let mut to = self.at(TRANSMIT);
        for _ in 0..16u8 {
            self.enter(to, &self.mac);
            to = to.plus(ENTRY);
        }
        to = self.at(TRANSMIT);
        if mode >= RcvMode::Broadcast {
            self.enter(to, &BROADCAST);
        }
        if mode == RcvMode::Multicast {
            for group in groups {
                to = to.plus(ENTRY);
                self.enter(to, group);
            }
        }
        self.give(TX_SETUP | SETUP_BYTES);
        self.drain();
        // In the filter's descriptor the chip sets bits that are errors in a frame's: clears them.
        self.bus.put32(self.at(self.tx ^ DESCRIPTOR), 0);
        self.put(CSR6, control | CSR6_OF_MODE[mode as usize] as u32);
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.mac = *address;
    }

    fn link(&mut self) -> Link {
        let up = if self.phy > 31 {
            self.bus.in8(self.port(CSR12)) & CSR12_LS10 == 0
        } else {
            self.mii_get(BMSR) & BMSR_LINK != 0
        };
        if up { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        if self.phy > 31 {
            return 10;
        }
        let [control, own, partner] = [BMCR, ANAR, ANLPAR].map(|register| self.mii_get(register));
        mii::speed(control, own, partner)
    }

    fn stop(&mut self) {
        self.put(CSR0, CSR0_SWR);
        // At least 50 PCI cycles (manual, section 3.2.2.1).
        for _ in 0..20u8 {
            self.bus.clock();
        }
        self.put(CSR7, 0);
    }
}
