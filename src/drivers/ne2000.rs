//! NE2000 and compatibles: a DP8390 with its own RAM, which remote DMA reaches through a data port. The RAM holds one frame
//! to transmit ([`TX_PAGES`]), then the receive ring. Registers rest in page 0.
//!
//! The line may be edge-triggered, so it must have been low after the last cause that was acknowledged ([`Device::irq`]). If
//! the only cause is a good frame, interrupts stay on: ISR is read again after the acknowledge, and if it shows no other
//! cause, the line has been low. (DOSBox-X raises no interrupt when a mask is lifted.) For all other causes, which DOSBox-X
//! does not have, the driver masks the card and unmasks it later.

use super::dp8390::*;
use crate::bus::Bus;
use crate::device::{Counters, Device, Events, Head, Job, LOOKAHEAD, Link, MAX_FRAME, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Remote DMA data port (8 or 16 bits).
pub const DATA: u8 = 0x10;
/// Reading starts a reset of the card, writing ends it.
pub const RESET: u8 = 0x1F;

/// Causes that interrupt. The end of a transmission is none: `send` polls for it.
const CAUSES: u8 = ISR_PRX | ISR_RXE | ISR_TXE | ISR_OVW | ISR_CNT;
/// Running, page 0.
const RUN: u8 = CR_NO_DMA | CR_STA;
/// Stopped, page 0.
const STOP: u8 = CR_NO_DMA | CR_STP;
/// Bytes in front of each frame: status, page of the next frame, length of frame and check sequence (16 bits).
const HEADER: u8 = 4;

/// The card. `WIDE`: in a 16-bit slot, with transfers by words and 16 KB of RAM at 4000h.
#[repr(C)]
pub struct Ne2000<B, const WIDE: bool = true> {
    count: Counters,
    io: u16,
    /// First page of the RAM, where the frame to transmit is.
    first: u8,
    /// Pages of the ring, which begins behind that frame.
    pages: u8,
    /// Page of the oldest frame in the ring.
    head: u8,
    /// Page of the next frame, once the oldest one has been peeked at.
    next: u8,
    /// Not 0: the card is in loopback after an overrun, until the ring is empty; then this is written to CR.
    held: u8,
    mode: RcvMode,
    bus: B,
}

impl<B: Bus, const WIDE: bool> Ne2000<B, WIDE> {
    /// The driver of a card that has been set up with RAM pages `first` to `stop` (exclusive), and is running in loopback
    /// with an empty ring.
    pub fn new(bus: B, io: u16, first: u8, stop: u8) -> Self {
        Ne2000 {
            count: Counters::default(),
            io,
            first,
            pages: stop.wrapping_sub(first).wrapping_sub(TX_PAGES),
            head: first.wrapping_add(TX_PAGES + 1),
            next: 0,
            held: RUN,
            mode: RcvMode::Broadcast,
            bus,
        }
    }

    /// The device's counters.
    pub fn counters(&self) -> Counters {
        self.count
    }

    #[inline(always)]
    fn first(&self) -> u8 {
        if WIDE { 0x40 } else { self.first }
    }

    #[inline(always)]
    fn ring(&self) -> u8 {
        self.first().wrapping_add(TX_PAGES)
    }

    #[inline(always)]
    fn pages(&self) -> u8 {
        if WIDE { 0x40 - TX_PAGES } else { self.pages }
    }

    #[inline(always)]
    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    #[inline(always)]
    fn get(&self, register: u8) -> u8 {
        self.bus.in8(self.port(register))
    }

    #[inline(always)]
    fn put(&self, register: u8, value: u8) {
        self.bus.out8(self.port(register), value)
    }

    /// Writes a pair of registers, low byte first.
    #[inline(always)]
    fn put2(&self, register: u8, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.put(register, low);
        self.put(register + 1, high);
    }

    /// Begins remote DMA. At the end of the ring the card continues at the ring's start.
    #[inline(always)]
    fn dma(&self, direction: u8, page: u8, offset: u8, len: u16) {
        self.put(RSAR0, offset);
        self.put(RSAR1, page);
        self.put2(RBCR0, len);
        self.put(CR, direction | CR_STA);
    }

    /// Reads two bytes.
    #[inline(always)]
    fn take2(&self) -> u16 {
        let data = self.port(DATA);
        if WIDE { self.bus.in16(data) } else { u16::from_le_bytes([self.bus.in8(data), self.bus.in8(data)]) }
    }

    /// Waits until ISR shows one of `bits`, at most as long as a frame takes.
    #[inline(never)]
    fn wait(&self, bits: u8) -> bool {
        self.bus.wait_briefly(STOP_TIME, || self.get(ISR) & bits != 0).is_ok()
    }

    #[inline(never)]
    fn set_head(&mut self, page: u8) {
        self.head = page;
        let before = if page == self.ring() { page.wrapping_add(self.pages()) } else { page };
        self.put(BNRY, before.wrapping_sub(1));
    }

    /// The first part of the data sheet's overflow routine, before frames are taken out of the ring.
    fn hold(&mut self) {
        let sending = self.get(CR) & CR_TXP;
        self.put(CR, STOP);
        self.wait(0);
        self.put2(RBCR0, 0);
        // A transmission that this has cut off is begun again.
        let ended = self.get(ISR) & (ISR_PTX | ISR_TXE) != 0;
        self.held = if ended { RUN } else { RUN | sending };
        self.put(TCR, TCR_LOOPBACK);
        self.put(CR, RUN);
    }

    /// The second part of that routine, when the ring is empty.
    #[inline(never)]
    fn release(&mut self) {
        self.put(TCR, 0);
        self.put(CR, self.held);
        self.held = 0;
    }

    #[cold]
    fn bad(&mut self) -> Option<Rx> {
        self.count.errors_in = self.count.errors_in.wrapping_add(1);
        Some(Rx::USELESS)
    }

    /// Serves an interrupt that has another cause than good frames.
    #[inline(never)]
    fn trouble(&mut self, isr: u8) -> Events {
        // All ones: the card has been removed.
        if isr == 0xFF {
            return Events::NONE;
        }
        // A cause that comes from now on raises the line when `unmask` lifts the mask.
        self.put(IMR, 0);
        if isr & ISR_OVW != 0 {
            self.hold();
        }
        self.put(ISR, isr & CAUSES);
        if isr & ISR_TXE != 0 {
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
        if isr & (ISR_RXE | ISR_OVW | ISR_CNT) != 0 {
            let bad = self.get(CNTR0).wrapping_add(self.get(CNTR1));
            self.count.errors_in = self.count.errors_in.wrapping_add(bad as u32);
            let missed = self.get(CNTR2);
            self.count.lost = self.count.lost.wrapping_add(missed as u32);
        }
        Events::RX
    }
}

impl<B: Bus, const WIDE: bool> Device for Ne2000<B, WIDE> {
    fn irq(&mut self) -> Events {
        let mut isr = self.get(ISR);
        if isr & (CAUSES & !ISR_PRX) == 0 {
            if isr & ISR_PRX == 0 {
                return Events::NONE;
            }
            self.put(ISR, ISR_PRX);
            isr = self.get(ISR);
            if isr & (CAUSES & !ISR_PRX) == 0 {
                return Events::OPEN;
            }
        }
        self.trouble(isr)
    }

    fn unmask(&mut self) {
        self.put(IMR, CAUSES);
        if self.held != 0 {
            self.release();
        }
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        self.put(CR, RUN | CR_PAGE1);
        self.next = self.get(CURR);
        self.put(CR, RUN);
        if self.next == self.head {
            return None;
        }
        // QEMU and DOSBox-X cannot turn the receiver off: in that mode every frame is discarded.
        if self.mode != RcvMode::Off {
            self.dma(CR_READ, self.head, 0, HEADER as u16 + LOOKAHEAD as u16);
            let [status, next] = self.take2().to_le_bytes();
            let count = self.take2();
            // Reads to the end even of a bad frame: remote DMA must end.
            if WIDE {
                self.bus.ins_own(self.port(DATA), head);
            } else {
                self.bus.ins8_own(self.port(DATA), head);
            }
            // Header, frame and check sequence fill the pages; some compatible cards leave one page more.
            let mut spare = next.wrapping_sub(self.head).wrapping_sub(1).wrapping_sub((count >> 8) as u8);
            if (spare as i8) < 0 {
                spare = spare.wrapping_add(self.pages());
            }
            // The card stores good frames only: an error in the status means a bad header.
            spare |= status & RSR_ERRORS;
            // The next frame's page is unknown after a bad header: all frames up to CURR are lost.
            if spare > 1 || next.wrapping_sub(self.ring()) >= self.pages() {
                return self.bad();
            }
            self.next = next;
            if count.wrapping_sub(5) >= MAX_FRAME {
                return self.bad();
            }
            return Rx::new(count.wrapping_sub(4));
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.dma(CR_READ, self.head, HEADER, job.len);
        let data = self.port(DATA);
        if WIDE { self.bus.ins(data, job) } else { self.bus.ins8(data, job) }
    }

    fn discard(&mut self, _rx: Rx) {
        self.set_head(self.next);
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        if self.held != 0 {
            self.release();
        }
        if self.get(CR) & CR_TXP != 0 {
            return Err(SendError::Busy);
        }
        // CR_TXP is clear, so the last frame's cause is set by now, unless it was lost or there was no last frame; then the
        // wait runs to its limit. DOSBox-X never sets CR_TXP.
        self.wait(ISR_PTX | ISR_TXE);
        self.put(ISR, ISR_RDC | ISR_PTX);
        let len = job.len;
        let padded = if len < MIN_FRAME { MIN_FRAME } else { len };
        self.put2(TBCR0, padded);
        // A remote write ends only after a whole word.
        let whole = if WIDE { padded.wrapping_add(padded & 1) } else { padded };
        self.dma(CR_WRITE, self.first(), 0, whole);
        let data = self.port(DATA);
        let pad = padded.wrapping_sub(len);
        if WIDE {
            self.bus.outs(data, job);
            for _ in 0..pad >> 1 {
                self.bus.out16(data, 0);
            }
        } else {
            self.bus.outs8(data, job);
            for _ in 0..pad {
                self.bus.out8(data, 0);
            }
        }
        if !self.wait(ISR_RDC) {
            return Err(SendError::Failed);
        }
        self.put(CR, RUN | CR_TXP);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.mode = mode;
        let all = if mode > RcvMode::Multicast { 0xFF } else { 0 };
        self.put(CR, RUN | CR_PAGE1);
        let mut port = self.port(MAR0);
        for _ in 0..8u8 {
            self.bus.out8(port, all);
            port = port.wrapping_add(1);
        }
        if mode == RcvMode::Multicast {
            for group in groups {
                let bit = hash(group);
                let port = self.port(MAR0 + (bit >> 3));
                self.bus.out8(port, self.bus.in8(port) | 1 << (bit & 7));
            }
        }
        self.put(CR, RUN);
        self.put(RCR, RCR_OF_MODE[mode as usize]);
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.put(CR, RUN | CR_PAGE1);
        let mut port = self.port(PAR0);
        for &byte in address {
            self.bus.out8(port, byte);
            port = port.wrapping_add(1);
        }
        self.put(CR, RUN);
    }

    fn link(&mut self) -> Link {
        Link::Unknown
    }

    fn speed(&mut self) -> u16 {
        10
    }

    fn stop(&mut self) {
        self.put(IMR, 0);
        self.put(CR, STOP);
    }
}
