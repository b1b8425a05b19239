//! NE1000, NE2000 and compatibles: a DP8390 with RAM of its own, reached through a data port by remote DMA.
//!
//! The card's RAM holds one frame to transmit ([`TX_PAGES`]), then the receive ring. Registers rest in page 0.

use super::dp8390::*;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, LOOKAHEAD, Link, MIN_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Remote DMA (8 or 16 bits).
pub const DATA: u8 = 0x10;
/// Reading starts a reset of the card, writing ends it.
pub const RESET: u8 = 0x1F;
/// Ports of a card.
pub const PORTS: u16 = 0x20;

/// What interrupts, beside ISR_PTX while someone waits for the transmitter.
const CAUSES: u8 = ISR_PRX | ISR_RXE | ISR_TXE | ISR_OVW | ISR_CNT;
/// Running, page 0.
const RUN: u8 = CR_NO_DMA | CR_STA;

/// A transmission was begun and its end not seen.
const SENDING: u8 = 1;
/// `send` was refused: the end of the transmission shall interrupt. The same bit as ISR_PTX.
const WANTED: u8 = ISR_PTX;
/// In loopback after an overrun, until the ring has been emptied.
const HELD: u8 = 4;
/// The stop cut a transmission off: it is to be begun again.
const RESEND: u8 = 8;

/// The card.
#[repr(C)]
pub struct Ne2000<B> {
    count: Counters,
    io: u16,
    /// First page of the ring.
    start: u8,
    /// One past the last page of the ring.
    stop: u8,
    /// Page of the oldest frame.
    head: u8,
    /// Page of the one behind it, once that has been peeked at.
    next: u8,
    state: u8,
    /// 1: transfers are by words.
    wide: u8,
    mode: RcvMode,
    bus: B,
}

impl<B: Bus> Ne2000<B> {
    /// The driver of a card that is set up for RAM pages `first` to `stop` (not included), ring and all, and runs.
    pub fn new(bus: B, io: u16, first: u8, stop: u8, wide: bool) -> Self {
        let start = first.wrapping_add(TX_PAGES);
        Ne2000 {
            count: Counters::default(),
            io,
            start,
            stop,
            head: start.wrapping_add(1),
            next: 0,
            state: 0,
            wide: wide as u8,
            mode: RcvMode::Broadcast,
            bus,
        }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.count
    }

    /// Leaves the loopback in which the card was set up.
    pub fn accept(&mut self) {
        self.put(TCR, 0);
    }

    fn port(&self, register: u8) -> u16 {
        self.io.wrapping_add(register as u16)
    }

    fn get(&self, register: u8) -> u8 {
        self.bus.in8(self.port(register))
    }

    fn put(&self, register: u8, value: u8) {
        self.bus.out8(self.port(register), value)
    }

    /// Writes four registers in a row, the low byte first.
    #[inline(never)]
    fn put4(&self, register: u8, values: u32) {
        let mut port = self.port(register);
        let mut rest = values;
        for _ in 0..4 {
            self.bus.out8(port, rest as u8);
            rest >>= 8;
            port = port.wrapping_add(1);
        }
    }

    /// Writes registers of page 1.
    #[inline(never)]
    fn put_page1(&self, register: u8, values: &[u8]) {
        self.put(CR, RUN | CR_PAGE1);
        let mut port = self.port(register);
        for &value in values {
            self.bus.out8(port, value);
            port = port.wrapping_add(1);
        }
        self.put(CR, RUN);
    }

    /// Begins remote DMA.
    #[inline(never)]
    fn dma(&self, direction: u8, at: u16, len: u16) {
        let whole = len.wrapping_add(len & self.wide as u16);
        self.put4(RSAR0, at as u32 | (whole as u32) << 16);
        self.put(CR, direction | CR_STA);
    }

    /// Reads `len` bytes of card RAM. At the end of the ring the NIC goes on at its start.
    #[inline(never)]
    fn read(&self, at: u16, to: Addr, len: u16) {
        self.dma(CR_READ, at, len);
        let data = self.port(DATA);
        let mut to = to;
        let mut len = len;
        if self.wide != 0 {
            self.bus.ins16(data, to, len >> 1);
            to = to.plus(len & !1);
            len &= 1;
        }
        self.bus.ins8(data, to, len);
    }

    /// Waits for one of `bits` in ISR, at most as long as a frame takes.
    #[inline(never)]
    fn wait(&self, bits: u8) -> bool {
        self.bus.wait(STOP_TIME, || self.get(ISR) & bits != 0).is_ok()
    }

    /// Notes the end of a transmission.
    fn sent(&mut self, isr: u8) {
        self.state &= HELD | RESEND;
        if isr & ISR_TXE != 0 {
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
    }

    /// Pages from the oldest frame to `page`: 1 to the ring's size.
    fn ahead(&self, page: u8) -> u8 {
        let pages = page.wrapping_sub(self.head);
        if page <= self.head { pages.wrapping_add(self.stop.wrapping_sub(self.start)) } else { pages }
    }

    fn set_head(&mut self, page: u8) {
        self.head = page;
        let before = if page == self.start { self.stop } else { page };
        self.put(BNRY, before.wrapping_sub(1));
    }

    /// The data sheet's overflow routine up to where frames are taken out of the ring. With `clear`, all of them.
    fn hold(&mut self, clear: bool) {
        let sending = self.get(CR) & CR_TXP;
        self.put(CR, CR_NO_DMA | CR_STP);
        self.wait(0);
        self.put(RBCR0, 0);
        self.put(RBCR1, 0);
        self.state |= HELD;
        if sending != 0 && self.get(ISR) & (ISR_PTX | ISR_TXE) == 0 {
            self.state |= RESEND;
        }
        self.put(TCR, TCR_LOOPBACK);
        if clear {
            let first = self.start.wrapping_add(1);
            self.set_head(first);
            self.put(CR, CR_NO_DMA | CR_STP | CR_PAGE1);
            self.put(CURR, first);
        }
        self.put(CR, RUN);
    }

    /// The rest of the routine.
    #[inline(never)]
    fn release(&mut self) {
        if self.state & HELD != 0 {
            self.put(TCR, 0);
            if self.state & RESEND != 0 {
                self.put(CR, RUN | CR_TXP);
            }
            self.state &= SENDING | WANTED;
        }
    }
}

impl<B: Bus> Device for Ne2000<B> {
    fn irq(&mut self) -> Events {
        let isr = self.get(ISR);
        // All ones: the card is gone.
        if isr == 0xFF || isr & (CAUSES | ISR_PTX) == 0 {
            return Events::NONE;
        }
        self.put(IMR, 0);
        if isr & ISR_OVW != 0 {
            self.hold(false);
        }
        self.put(ISR, isr & (CAUSES | ISR_PTX));
        let mut events = 0;
        if isr & (ISR_PTX | ISR_TXE) != 0 {
            self.sent(isr);
            events = Events::TX.0;
        }
        if isr & (ISR_PRX | ISR_RXE | ISR_OVW | ISR_CNT) != 0 {
            if isr & !ISR_PRX != 0 {
                let bad = self.get(CNTR0) as u32 + self.get(CNTR1) as u32;
                self.count.errors_in = self.count.errors_in.wrapping_add(bad);
                self.count.lost = self.count.lost.wrapping_add(self.get(CNTR2) as u32);
            }
            events |= Events::RX.0;
        }
        Events(events)
    }

    fn unmask(&mut self) {
        self.release();
        self.put(IMR, CAUSES | self.state & WANTED);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        self.put(CR, RUN | CR_PAGE1);
        let curr = self.get(CURR);
        self.put(CR, RUN);
        if curr == self.head {
            return None;
        }
        // QEMU and DOSBox-X have no way to turn the receiver off.
        if self.mode == RcvMode::Off {
            self.set_head(curr);
            return None;
        }
        let at = (self.head as u16) << 8;
        let mut header = Header::default();
        self.read(at, self.bus.addr_of((&raw mut header).cast()), 4);
        let pages = self.ahead(header.next);
        if header.next < self.start || header.next >= self.stop || pages > self.ahead(curr) || !header.fits(pages) {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
            self.hold(true);
            self.release();
            return None;
        }
        self.next = header.next;
        let at = at.wrapping_add(4);
        self.read(at, self.bus.addr_of(head.as_mut_ptr()), LOOKAHEAD as u16);
        Some(Rx { len: header.count.wrapping_sub(4), at })
    }

    fn copy(&mut self, rx: &Rx, _head: &Head, to: Addr, len: u16) {
        self.read(rx.at, to, len);
    }

    fn discard(&mut self, _rx: Rx) {
        self.set_head(self.next);
    }

    fn send(&mut self, frame: Addr, len: u16) -> Result<(), SendError> {
        self.release();
        if self.state & SENDING != 0 {
            if self.get(CR) & CR_TXP != 0 {
                self.state |= WANTED;
                self.put(IMR, CAUSES | ISR_PTX);
                return Err(SendError::Busy);
            }
            // Where CR_TXP tells the truth the cause is there by now, or was lost. DOSBox-X never shows CR_TXP.
            self.wait(ISR_PTX | ISR_TXE);
            self.sent(self.get(ISR));
        }
        let page = self.start.wrapping_sub(TX_PAGES);
        let at = (page as u16) << 8;
        let padded = if len < MIN_FRAME { MIN_FRAME } else { len };
        let done = (ISR_RDC | ISR_PTX | ISR_TXE) as u32;
        self.put4(TPSR, page as u32 | (padded as u32) << 8 | done << 24);
        self.dma(CR_WRITE, at, padded);
        let data = self.port(DATA);
        let pad = padded.wrapping_sub(len);
        if self.wide != 0 {
            self.bus.outs16(data, frame, len.wrapping_add(1) >> 1);
            for _ in 0..pad >> 1 {
                self.bus.out16(data, 0);
            }
            if pad & 1 != 0 {
                // The last word took a byte from behind the frame with it.
                let last = at.wrapping_add(len).wrapping_sub(1);
                self.dma(CR_READ, last, 2);
                let word = self.bus.in16(data) & 0xFF;
                self.put(ISR, ISR_RDC);
                self.dma(CR_WRITE, last, 2);
                self.bus.out16(data, word);
            }
        } else {
            self.bus.outs8(data, frame, len);
            for _ in 0..pad {
                self.bus.out8(data, 0);
            }
        }
        if !self.wait(ISR_RDC) {
            self.put(CR, RUN);
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
            return Err(SendError::Failed);
        }
        self.put(CR, RUN | CR_TXP);
        self.state = SENDING;
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        let (rcr, mar) = filter(mode, groups);
        self.mode = mode;
        self.put_page1(MAR0, &mar);
        self.put(RCR, rcr);
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.put_page1(PAR0, address);
    }

    fn link(&mut self) -> Link {
        Link::Unknown
    }

    fn stop(&mut self) {
        self.put(IMR, 0);
        self.put(CR, CR_NO_DMA | CR_STP);
    }
}
