//! Intel (once Digital) 21142 and 21143, driven through their ports (21143 Hardware Reference Manual).
//!
//! Memory, all of it in one piece: two transmit descriptors that are used in turn, their one buffer, and receive
//! descriptors in a ring, each with its buffer behind it. Addresses are written once. The address filter is a frame
//! like those to transmit, and goes to the chip in the same buffer.

use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Bus mode.
pub const CSR0: u8 = 0x00;
/// Software reset.
pub const   CSR0_SWR: u32 = 1 << 0;
/// Bursts of at most 8 double words, aligned to such.
pub const   CSR0_BURSTS: u32 = 1 << 14 | 8 << 8;
/// Transmit poll demand.
pub const CSR1: u8 = 0x08;
/// Receive poll demand.
const CSR2: u8 = 0x10;
/// The first receive descriptor.
pub const CSR3: u8 = 0x18;
/// The first transmit descriptor.
pub const CSR4: u8 = 0x20;
/// Status: causes are written with ones to clear.
pub const CSR5: u8 = 0x28;
/// A frame was received.
const   CSR5_RI: u32 = 1 << 6;
/// No receive descriptor is free.
const   CSR5_RU: u32 = 1 << 7;
/// Sum of the abnormal causes, and of the normal ones (in CSR7).
const   CSR5_AIS: u32 = 1 << 15;
/// See [`CSR5`].
pub const   CSR5_NIS: u32 = 1 << 16;
/// State of the receiver; 0: stopped.
const   CSR5_RS: u32 = 7 << 17;
/// State of the transmitter; 0: stopped.
const   CSR5_TS: u32 = 7 << 20;
/// Operation mode.
pub const CSR6: u8 = 0x30;
/// Receiver on.
const   CSR6_SR: u8 = 1 << 1;
/// Every frame.
const   CSR6_PR: u8 = 1 << 6;
/// Every multicast.
const   CSR6_PM: u8 = 1 << 7;
/// Transmitter on.
pub const   CSR6_ST: u32 = 1 << 13;
/// The MII's port.
pub const   CSR6_PS: u32 = 1 << 18;
/// No heartbeat is expected.
pub const   CSR6_HBD: u32 = 1 << 19;
/// A frame is transmitted when all of it is in the FIFO.
pub const   CSR6_SF: u32 = 1 << 21;
/// 10 Mb/s.
pub const   CSR6_TTM: u32 = 1 << 22;
/// To be written with one.
pub const   CSR6_MBO: u32 = 1 << 25;
/// Interrupt mask, bits as in CSR5.
pub const CSR7: u8 = 0x38;
/// Frames that found no descriptor, and in bits 27:17 those that the FIFO lost. Reading clears it.
const CSR8: u8 = 0x40;
/// Serial ROM and MII management.
pub const CSR9: u8 = 0x48;
/// MII clock.
const   CSR9_MDC: u32 = 1 << 16;
/// To the PHY.
const   CSR9_MDO: u32 = 1 << 17;
/// The PHY drives its data.
const   CSR9_MII: u32 = 1 << 18;
/// From the PHY.
const   CSR9_MDI: u32 = 1 << 19;
/// SIA status.
pub const CSR12: u8 = 0x60;
/// No link at 10 Mb/s.
const   CSR12_LS10: u8 = 1 << 2;

/// First word of a descriptor: the chip's. Its high half is a received frame's length.
pub const OWN: u32 = 1 << 31;
const   LENGTH: u16 = 0x3FFF;
/// Summary of errors.
const   ES: u32 = 1 << 15;
/// Received: first and last descriptor of a frame.
const   RX_FS: u32 = 1 << 9;
const   RX_LS: u32 = 1 << 8;
/// Second word: sizes and flags. The next descriptor's address is in the fourth.
const CONTROL: u16 = 4;
/// Chained.
pub const   CHAINED: u32 = 1 << 24;
/// First and last descriptor of a frame to transmit.
const   TX_FRAME: u32 = 1 << 30 | 1 << 29;
/// The address filter: 16 addresses, perfectly matched.
const   TX_SETUP: u32 = 1 << 27;
const   SETUP_BYTES: u32 = 192;
/// Bytes from address to address: two of each four are in use.
const   ENTRY: u16 = 12;
/// Bytes of a descriptor.
pub const DESCRIPTOR: u16 = 16;
/// Bytes of a buffer.
pub const BUFFER: u16 = 1536;
/// Bytes of a receive descriptor and its buffer.
pub const SLOT: u16 = DESCRIPTOR + BUFFER;
/// Bytes of the check sequence, which comes with a frame.
const CRC: u16 = 4;

/// Where the transmit buffer is in the memory, behind the two descriptors.
pub const TRANSMIT: u16 = 2 * DESCRIPTOR;
/// Where the ring is.
pub const RECEIVE: u16 = TRANSMIT + BUFFER;

/// Until a frame is sent, in microseconds: at 10 Mb/s with its collisions. No other state lasts longer.
const LIMIT: u16 = 20_000;
/// What interrupts.
const CAUSES: u32 = CSR5_RI | CSR5_RU;

/// The PHY's status register (IEEE 802.3, clause 22).
pub const BMSR: u8 = 1;
const   BMSR_LINK: u16 = 1 << 2;
/// Start of a management frame that reads, ones before it.
const MII_READ: u32 = !0 << 14 | 0b0110 << 10;
/// What the filter has to hold for broadcasts to pass.
static BROADCAST: MacAddr = [0xFF; 6];

/// CSR6 for a receive mode (1 to 6).
static CSR6_OF_MODE: [u8; 7] = {
    const ALL: u8 = CSR6_SR | CSR6_PM;
    [0, 0, CSR6_SR, CSR6_SR, CSR6_SR, ALL, ALL | CSR6_PR]
};

/// The card.
#[repr(C)]
pub struct Tulip<B> {
    /// For the core.
    pub count: Counters,
    /// The memory.
    pub memory: Addr,
    /// First port.
    pub io: u16,
    /// Times in a row that the transmit buffer was found in use.
    pub busy: u16,
    /// Offset of the next transmit descriptor: 0 or 16.
    pub tx: u16,
    /// Offset of the oldest receive descriptor.
    pub rx: u16,
    /// Offset behind the ring.
    pub end: u16,
    /// The own address.
    pub mac: MacAddr,
    /// The PHY's address; above 31: none, the chip's own 10BASE-T port is in use.
    pub phy: u8,
    /// The mode in force: QEMU's card takes broadcasts that it should not.
    pub mode: RcvMode,
    /// How it reaches them.
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

    /// One clock of the MII's management; the PHY's bit before it.
    #[inline(never)]
    fn mii_clock(&self, wires: u32) -> bool {
        self.put(CSR9, wires);
        let bit = self.get(CSR9) & CSR9_MDI != 0;
        self.put(CSR9, wires | CSR9_MDC);
        bit
    }

    /// Writes 32 bits to the PHY, the highest first.
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
        // Two clocks for the change of direction.
        (0..18u8).fold(0, |word: u16, _| word << 1 | self.mii_clock(CSR9_MII) as u16)
    }

    /// Waits until the descriptor before the next one is the driver's again; starts the transmitter anew when that takes
    /// too long.
    #[inline(never)]
    fn drain(&mut self) {
        let last = self.at(self.tx ^ DESCRIPTOR);
        if self.bus.wait(LIMIT, || self.bus.get32(last) & OWN == 0).is_err() {
            let control = self.get(CSR6);
            self.pause(control & !CSR6_ST, CSR5_TS);
            self.bus.put32(last, 0);
            self.tx = 0;
            self.put(CSR4, self.get(CSR4));
            self.put(CSR6, control);
        }
    }

    /// Writes CSR6 and waits until the state in these bits of CSR5 is stopped.
    #[inline(never)]
    fn pause(&self, control: u32, state: u32) {
        self.put(CSR6, control);
        let _ = self.bus.wait(LIMIT, || self.get(CSR5) & state == 0);
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
        // All ones: the card is gone.
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
        // At least a MAC header.
        if state & (ES | RX_FS | RX_LS) == RX_FS | RX_LS && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(slot.plus(DESCRIPTOR), head);
            if self.mode >= RcvMode::Broadcast || self.mode == RcvMode::Direct && head[0] & 1 == 0 {
                return Rx::new(len);
            }
        } else if state & RX_FS != 0 {
            // A frame that is too long has more than one descriptor, and one start.
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take(self.at(self.rx).plus(DESCRIPTOR), job.at, job.len);
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
            // Asked so often, a transmitter that still works would have answered.
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
        // The chip has marked it with what in a frame would be errors.
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

    fn stop(&mut self) {
        self.put(CSR0, CSR0_SWR);
        // 50 PCI cycles are the least (manual, section 3.2.2.1).
        for _ in 0..20u8 {
            self.bus.clock();
        }
        self.put(CSR7, 0);
    }
}
