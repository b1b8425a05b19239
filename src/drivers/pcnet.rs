//! AMD PCnet-PCI (Am79C970, 970A, 971 to 978): a LANCE with descriptors of 32 bits.
//!
//! The memory is one block: the initialization block, in which the driver also keeps address, mode and filter; the receive
//! descriptors; the transmit descriptors; their buffers in the same order. The chip reads the initialization block again when
//! one of the three changes. The register address port rests at CSR0.

use super::staging::stage;
use crate::bus::{Addr, Bus, Far};
use crate::device::{Counters, Device, Events, Head, Job, LOOKAHEAD, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Data of the control and status register that RAP names (16 bits).
pub const RDP: u8 = 0x10;
/// Register address (16 bits).
pub const RAP: u8 = 0x12;
/// Reading it resets the chip (16 bits).
pub const RESET: u8 = 0x14;
/// Data of the bus configuration register that RAP names (16 bits).
pub const BDP: u8 = 0x16;

/// Status; writing ones clears causes.
pub const CSR0: u16 = 0;
/// Initialize: read the initialization block.
pub const   CSR0_INIT: u16 = 1 << 0;
/// Start.
pub const   CSR0_STRT: u16 = 1 << 1;
/// Stop; clears all other bits.
pub const   CSR0_STOP: u16 = 1 << 2;
/// Transmit demand: read the transmit ring now.
pub const   CSR0_TDMD: u16 = 1 << 3;
/// Interrupt enable.
pub const   CSR0_INEA: u16 = 1 << 6;
/// Interrupt: a cause that is not masked is pending.
pub const   CSR0_INTR: u16 = 1 << 7;
/// Initialization done.
pub const   CSR0_IDON: u16 = 1 << 8;
/// Missed frame: no descriptor was free.
pub const   CSR0_MISS: u16 = 1 << 12;
/// All causes.
pub const   CSR0_CAUSES: u16 = 0x7F00;
/// Address of the initialization block: low half, then high half.
pub const CSR1: u16 = 1;
/// Interrupt masks.
pub const CSR3: u16 = 3;
/// An underflow does not stop the transmitter.
pub const   CSR3_DXSUFLO: u16 = 1 << 6;
/// Masks: initialization done,
pub const   CSR3_IDONM: u16 = 1 << 8;
/// transmissions,
pub const   CSR3_TINTM: u16 = 1 << 9;
/// memory errors,
pub const   CSR3_MERRM: u16 = 1 << 11;
/// frames to transmit that are too long.
pub const   CSR3_BABLM: u16 = 1 << 14;
/// Features.
pub const CSR4: u16 = 4;
/// Masks of causes that are not used: jabber, start of transmission, overflow of counters.
pub const   CSR4_MASKS: u16 = 0x0115;
/// The chip reads the transmit ring only on TDMD.
pub const   CSR4_DPOLL: u16 = 1 << 12;
/// Part number; bits 11:0 are 3, AMD's.
pub const CSR88: u16 = 88;
/// Bits 15:12 of the Am79C970A, which has 10 Mbit/s; those of the Am79C970 are 0, and those of chips with 100 are higher.
const   CSR88_970A: u16 = 1;
/// Missed frames; wraps.
pub const CSR112: u16 = 112;

/// Miscellaneous configuration.
pub const BCR2: u16 = 2;
/// The chip selects its network port.
pub const   BCR2_ASEL: u16 = 1 << 1;
/// The link status LED.
pub const BCR4: u16 = 4;
/// The LED is lit.
pub const   BCR4_LEDOUT: u16 = 1 << 15;
/// Burst and bus control.
pub const BCR18: u16 = 18;
/// Bursts for reads and writes.
pub const   BCR18_BURSTS: u16 = 3 << 5;
/// Software style.
pub const BCR20: u16 = 20;
/// PCnet-PCI: descriptors of four 32-bit words.
pub const   BCR20_PCNET_PCI: u16 = 2;

/// Initialization block: mode in bits 15:0, ring lengths (powers of two) in 23:20 and 31:28.
pub const INIT_MODE: u16 = 0;
/// Receiver off.
const   MODE_DRX: u16 = 1 << 0;
/// No broadcasts.
const   MODE_DRCVBC: u16 = 1 << 14;
/// Every frame.
const   MODE_PROM: u16 = 1 << 15;
/// Own address: 6 bytes, and 2 unused.
pub const INIT_PADR: u16 = 4;
/// Multicast hash filter, 8 bytes.
pub const INIT_LADRF: u16 = 12;
/// Address of the receive descriptors.
pub const INIT_RDRA: u16 = 20;
/// Address of the transmit descriptors.
pub const INIT_TDRA: u16 = 24;
/// Bytes of the initialization block; the descriptors follow.
pub const DESCRIPTORS: u16 = 32;

/// Second word of a descriptor: the chip owns it. Its low half is the negative size of the buffer.
pub const OWN: u32 = 1 << 31;
const ERR: u32 = 1 << 30;
const STP: u32 = 1 << 25;
const ENP: u32 = 1 << 24;

/// Bytes of a transmit buffer.
pub const BUFFER: u16 = 1536;
/// Bytes of the check sequence, which the chip includes in a length.
const CRC: u16 = 4;

/// Polls for the end of transmission. A poll reads a port, which takes at least 0.4 microseconds. Eight frames at 10 Mb/s with
/// their collisions take 20 ms.
const SEND_POLLS: u16 = 50_000;
/// Limit in microseconds for the chip to read the initialization block.
const INIT_LIMIT: u16 = 5_000;

/// The card. `DEEP`: rings in XMS; otherwise short rings below 1 MB.
#[repr(C)]
pub struct Pcnet<B, const DEEP: bool> {
    count: Counters,
    /// The memory's address for the bus.
    memory: Addr,
    io: u16,
    /// CSR112 when it was last read.
    missed: u16,
    /// Times in a row that the next transmit descriptor was in use.
    busy: u16,
    /// Offset of the oldest frame's descriptor.
    head: u16,
    /// Offset of that frame's last descriptor.
    last: u16,
    /// Offset of the next transmit descriptor.
    tail: u16,
    bus: B,
}

/// Numbers of receive and transmit descriptors, as exponents of two.
pub const fn logs(deep: bool) -> (u16, u16) {
    if deep { (6, 3) } else { (3, 0) }
}

/// Bytes of a receive buffer. Below 1 MB a long frame takes up to three buffers, which lie one behind another.
pub const fn receive_buffer(deep: bool) -> u16 {
    if deep { BUFFER } else { 640 }
}

/// Bytes of the memory.
pub const fn bytes(deep: bool) -> u32 {
    let (receive, transmit) = logs(deep);
    let received = (16 + receive_buffer(deep) as u32) << receive;
    DESCRIPTORS as u32 + received + ((16 + BUFFER as u32) << transmit)
}

impl<B: Bus, const DEEP: bool> Pcnet<B, DEEP> {
    // Offsets of the first transmit descriptor and of the descriptors' end.
    const TRANSMIT: u16 = DESCRIPTORS + (16 << logs(DEEP).0);
    const END: u16 = Self::TRANSMIT + (16 << logs(DEEP).1);
    /// Bytes of all receive buffers below 1 MB, where a frame may take several.
    const RECEIVED: u16 = receive_buffer(false) << logs(false).0;
    /// A receive descriptor that the chip owns.
    const FREE: u32 = OWN | 0u16.wrapping_sub(receive_buffer(DEEP)) as u32;
    /// The most receive descriptors that a frame takes.
    const PARTS: u8 = if DEEP { 1 } else { 1 << logs(false).0 };

    /// The driver of a card at `io`; `memory` is for the bus. [`Pcnet::restart`] starts the card.
    pub fn new(bus: B, io: u16, memory: Addr) -> Self {
        Pcnet { count: Counters::default(), memory, io, missed: 0, busy: 0, head: 0, last: 0, tail: 0, bus }
    }

    /// The same card, for code that does not use the rings.
    pub fn shallow(self) -> Pcnet<B, false> {
        let Pcnet { count, memory, io, missed, busy, head, last, tail, bus } = self;
        Pcnet { count, memory, io, missed, busy, head, last, tail, bus }
    }

    /// The same card, with its rings in XMS.
    pub fn deep(self) -> Pcnet<B, true> {
        let Pcnet { count, memory, io, missed, busy, head, last, tail, bus } = self;
        Pcnet { count, memory, io, missed, busy, head, last, tail, bus }
    }

    #[inline(always)]
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    /// Writes the register that RAP selects.
    #[inline(never)]
    fn put(&self, value: u16) {
        self.bus.out16(self.port(RDP), value)
    }

    #[inline(never)]
    fn get(&self) -> u16 {
        self.bus.in16(self.port(RDP))
    }

    /// Reads `register` by the data port `data`; then RAP selects CSR0 again.
    #[inline(never)]
    fn read(&self, data: u8, register: u16) -> u16 {
        let address = self.port(RAP);
        self.bus.out16(address, register);
        let value = self.bus.in16(self.port(data));
        self.bus.out16(address, CSR0);
        value
    }

    #[inline(always)]
    fn at(&self, offset: u16) -> Addr {
        self.memory.plus(offset)
    }

    /// The buffer of a descriptor.
    #[inline(never)]
    fn buffer(&self, descriptor: u16) -> Addr {
        let index = (descriptor - DESCRIPTORS) >> 4;
        Addr(self.memory.0.wrapping_add(Self::END as u32).wrapping_add(index as u32 * receive_buffer(DEEP) as u32))
    }

    /// Stops the chip, and lets it read the initialization block and start with empty rings, interrupts masked. False: it did
    /// not read the block within its limit.
    #[inline(never)]
    pub fn restart(&mut self) -> bool {
        self.put(CSR0_STOP);
        let mut offset = DESCRIPTORS;
        while offset != Self::END {
            let state = if offset < Self::TRANSMIT { Self::FREE } else { 0 };
            self.bus.put32(self.at(offset + 4), state);
            offset += 16;
        }
        self.head = DESCRIPTORS;
        self.tail = Self::TRANSMIT;
        self.missed = self.read(RDP, CSR112);
        self.put(CSR0_INIT);
        let done = self.bus.wait_briefly(INIT_LIMIT, || self.get() & CSR0_IDON != 0).is_ok();
        self.put(CSR0_IDON | CSR0_STRT);
        done
    }

    /// Waits until the frames that the chip has are sent, with a limit, then restarts it with interrupts as they were.
    #[inline(never)]
    fn reload(&mut self) {
        // The descriptor before the next one: its frame is sent last.
        let last = if self.tail == Self::TRANSMIT { Self::END } else { self.tail } - 16;
        let state = self.at(last + 4);
        let _ = self.bus.poll(SEND_POLLS, || {
            self.get();
            self.bus.get32(state) & OWN == 0
        });
        let enabled = self.get() & CSR0_INEA;
        self.restart();
        self.put(enabled);
    }

    /// The offset of the receive descriptor after this one.
    #[inline(always)]
    fn behind(descriptor: u16) -> u16 {
        if descriptor + 16 == Self::TRANSMIT { DESCRIPTORS } else { descriptor + 16 }
    }

    /// Copies the first `len` bytes of the oldest frame, which may lie in several buffers.
    #[inline(never)]
    fn take(&self, to: Far, len: u16) {
        let from = self.buffer(self.head);
        let start = self.at(Self::END);
        let most = Self::RECEIVED.wrapping_sub(from.0.wrapping_sub(start.0) as u16);
        let first = if most < len { most } else { len };
        self.bus.take(from, to, first);
        if first < len {
            self.bus.take(start, to.plus(first), len - first);
        }
    }
}

#[cfg(target_os = "none")]
unsafe extern "fastcall" {
    /// asm/crc.asm: the high half of an address's CRC-32.
    safe fn crc_high(address: &MacAddr) -> u16;
}

/// The high half of an address's CRC-32, low bit of each byte first; for host tests.
#[cfg(not(target_os = "none"))]
fn crc_high(address: &MacAddr) -> u16 {
    let mut crc = !0u32;
    for &byte in address {
        crc ^= byte as u32;
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 };
        }
    }
    (crc >> 16) as u16
}

/// The bit of the hash filter that a multicast address selects: the high six bits of its CRC-32.
#[inline(always)]
fn hash(address: &MacAddr) -> u8 {
    (crc_high(address) >> 10) as u8
}

impl<B: Bus, const DEEP: bool> Device for Pcnet<B, DEEP> {
    fn irq(&mut self) -> Events {
        let causes = self.get();
        // All ones: the card has been removed.
        if causes & CSR0_INTR == 0 || causes == 0xFFFF {
            return Events::NONE;
        }
        // The value has no INEA: it acknowledges and masks.
        self.put(causes & CSR0_CAUSES);
        if causes & CSR0_MISS != 0 {
            let missed = self.read(RDP, CSR112);
            self.count.lost = self.count.lost.wrapping_add(missed.wrapping_sub(self.missed) as u32);
            self.missed = missed;
        }
        Events::RX
    }

    fn unmask(&mut self) {
        self.put(CSR0_INEA);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let mut last = self.head;
        // The bits that are set in any of the frame's descriptors.
        let mut state = 0;
        for part in 0..Self::PARTS {
            if part != 0 {
                last = Self::behind(last);
            }
            let own = self.bus.get32(self.at(last + 4));
            if own & OWN != 0 {
                return None;
            }
            state |= own;
            if DEEP || own & (ERR | ENP) != 0 {
                break;
            }
        }
        if !DEEP {
            self.last = last;
        }
        let len = (self.bus.get16(self.at(last + 8)) & 0x0FFF).wrapping_sub(CRC);
        if state & (ERR | STP | ENP) == STP | ENP && len >= 14 && len <= MAX_FRAME {
            if DEEP {
                self.bus.take_head(self.buffer(self.head), head);
            } else {
                self.take(self.bus.far_of(head.as_ptr()), LOOKAHEAD as u16);
            }
            return Rx::new(len);
        }
        // A frame that is too long takes several of these, of which one has STP: it is counted once.
        if state & STP != 0 {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        if DEEP {
            self.bus.take_frame(self.buffer(self.head), job);
        } else {
            self.take(job.at, job.len);
        }
    }

    fn discard(&mut self, _rx: Rx) {
        for _ in 0..Self::PARTS {
            let head = self.head;
            self.bus.put32(self.at(head + 4), Self::FREE);
            self.head = Self::behind(head);
            if DEEP || head == self.last {
                break;
            }
        }
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let tail = self.tail;
        let state = self.at(tail + 4);
        let old = self.bus.get32(state);
        if old & OWN != 0 {
            self.busy = self.busy.wrapping_add(1);
            // So many polls: a working transmitter would have answered.
            if self.busy == 0 {
                self.reload();
            }
            return Err(SendError::Busy);
        }
        self.busy = 0;
        if old & ERR != 0 {
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
        let to = self.buffer(tail);
        let padded = stage(&self.bus, job, to);
        self.bus.put32(state, OWN | STP | ENP | 0u16.wrapping_sub(padded) as u32);
        self.tail = if tail + 16 == Self::END { Self::TRANSMIT } else { tail + 16 };
        self.put(self.get() & CSR0_INEA | CSR0_TDMD);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let word = match mode {
            RcvMode::Off => MODE_DRX,
            RcvMode::Direct => MODE_DRCVBC,
            RcvMode::Promiscuous => MODE_PROM,
            _ => 0,
        };
        self.bus.put16(self.at(INIT_MODE), word);
        let all = if mode > RcvMode::Multicast { !0 } else { 0 };
        self.bus.put32(self.at(INIT_LADRF), all);
        self.bus.put32(self.at(INIT_LADRF + 4), all);
        if mode == RcvMode::Multicast {
            for group in groups {
                let bit = hash(group);
                let at = self.at(INIT_LADRF + (bit >> 4 << 1) as u16);
                self.bus.put16(at, self.bus.get16(at) | 1 << (bit & 15));
            }
        }
        self.reload();
    }

    fn set_address(&mut self, address: &MacAddr) {
        // The chip reads it in `set_rcv_mode`, which follows.
        self.bus.give_own(address.as_ptr(), self.at(INIT_PADR), 6);
    }

    fn link(&mut self) -> Link {
        let led = self.read(BDP, BCR4);
        if led & BCR4_LEDOUT != 0 { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        if self.read(RDP, CSR88) >> 12 <= CSR88_970A { 10 } else { 0 }
    }

    fn stop(&mut self) {
        self.put(CSR0_STOP);
    }
}
