//! Intel's gigabit controllers (8254x PCI/PCI-X Family Software Developer's Manual; datasheets of the 82574, chapters 7 and
//! 10, the 82576 and the I210, chapters 7 and 8). Descriptors have the legacy form, but for the receive descriptors of
//! controllers with several queues, of which the first is used: [`QUEUES`].
//!
//! The memory is one block: 8 transmit descriptors, receive descriptors, buffers. The card needs one free descriptor in a full
//! ring, and all buffers shall be the card's; so there are at least twice as many receive descriptors as receive buffers. A
//! buffer that is given back goes into the descriptor as many places further on as there are buffers. The card writes
//! lengths and states into descriptors; addresses are written once. Only a receive descriptor of [`QUEUES`] loses its address
//! when the card writes to it.

mod registers;
mod window;

pub use registers::*;
pub use window::{Both, Memory, Ports, Window};

use core::marker::PhantomData;

use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Transmit descriptors, the fewest that the card allows.
pub const TX_DESCS: u8 = 8;
/// Bytes of a buffer. The card receives no frame of more than 1522 bytes while long frames are off.
pub const BUFFER: u32 = 1536;
/// Limit in microseconds for DMA to end before a reset.
const MASTER_LIMIT: u16 = 20_000;
/// Limit for a queue to start or stop, in reads of about a microsecond: more than two of the longest frames take at 10 Mb/s.
const QUEUE_POLLS: u16 = 4_000;
/// Time of a reset in microseconds (82574 datasheet: registers may be used after 1 ms).
const RESET_TIME: u16 = 3_000;
/// The same for [`PCH`]: an access within 20 ms may hang the machine. DMA, for which Linux waits 10 ms, and the I219's release of
/// descriptors, which takes 250 microseconds, are given this time, too.
const RESET_TIME_PCH: u16 = 21_000;
/// Reads of [`FWSM`], of about a microsecond each, until the management engine has released the bus.
const BUS_POLLS: u16 = 1_000;
/// BIOS ticks (55 ms) without room for a frame, with the cable in, after which the transmitter counts as hanging.
const HANG_TICKS: u16 = 10;
/// The BIOS's tick count.
const TICKS: Addr = Addr(0x46C);

/// RCTL by receive mode (1 to 6). Addresses in RAL0 and after it are always accepted.
const RCTL_OF_MODE: [u16; 7] = {
    const BROADCAST: u16 = RCTL_EN | RCTL_BAM;
    [0, 0, RCTL_EN, BROADCAST, BROADCAST, BROADCAST | RCTL_MPE, BROADCAST | RCTL_MPE | RCTL_UPE]
};

/// On PCI: 8254x.
pub const PCI: u8 = 0;
/// On PCI Express: 82574, 82583.
pub const EXPRESS: u8 = 1;
/// On PCI Express, with several queues: 82575 and later.
pub const QUEUES: u8 = 2;
/// Part of a chipset: 82577 to I219. A management engine shares registers and PHY.
pub const PCH: u8 = 3;

/// The number of the last receive descriptor. There are twice as many as buffers, and at least 8: the card counts them by
/// eights.
pub const fn last_rx_desc(rx_buffers: u8) -> u8 {
    rx_buffers.wrapping_mul(2).wrapping_sub(1) | 7
}

/// A card. `KIND`: [`PCI`], [`EXPRESS`], [`QUEUES`] or [`PCH`].
#[repr(C)]
pub struct Gigabit<B, W, const KIND: u8> {
    /// The counters, for the core.
    pub count: Counters,
    /// Where the registers are: their address, or the first port.
    pub place: u32,
    /// The transmit descriptors; the receive descriptors follow.
    pub descs: Addr,
    /// The transmit buffers; the receive buffers follow.
    pub buffers: Addr,
    /// The receive buffer whose frame was peeked at, with [`Window::REAL`].
    pub peeked: Addr,
    /// BIOS tick at which a frame was last given to the transmitter.
    pub sent_at: u16,
    /// Receive buffers, a power of two; see [`last_rx_desc`].
    pub rx_buffers: u8,
    /// Transmit buffers, a power of two.
    pub tx_buffers: u8,
    /// Number of the next receive descriptor.
    pub rx: u8,
    /// Number of the next transmit descriptor.
    pub tx: u8,
    /// The bus.
    pub bus: B,
    /// See [`Window`].
    pub window: PhantomData<W>,
}

impl<B: Bus, W: Window, const KIND: u8> Gigabit<B, W, KIND> {
    /// Reads a register.
    #[inline(never)]
    pub fn get(&self, register: u16) -> u32 {
        W::get(&self.bus, self.place, register)
    }

    /// Writes a register.
    #[inline(never)]
    pub fn put(&self, register: u16, value: u32) {
        if KIND == PCH {
            let _ = self.bus.poll(BUS_POLLS, || W::get_at::<B, FWSM>(&self.bus, self.place) & FWSM_BUS == 0);
        }
        W::put(&self.bus, self.place, register, value);
    }

    /// Waits for as long as [`PCH`] takes to reset. Not inline, and without a number: fewer bytes.
    #[inline(never)]
    pub fn pause(&self) {
        let _ = self.bus.wait(RESET_TIME_PCH, || false);
    }

    /// Reads a register for each frame: without a call where that takes fewer instructions.
    #[inline(always)]
    fn get_fast(&self, register: u16) -> u32 {
        if W::REAL { W::get(&self.bus, self.place, register) } else { self.get(register) }
    }

    /// Writes one.
    #[inline(always)]
    fn put_fast(&self, register: u16, value: u32) {
        if W::REAL { W::put(&self.bus, self.place, register, value) } else { self.put(register, value) }
    }

    /// Writes a tail.
    #[inline(always)]
    fn put_tail(&self, register: u16, value: u32) {
        if KIND == PCH { self.put(register, value) } else { self.put_fast(register, value) }
    }

    /// Gives all receive buffers to the card that the driver does not have.
    #[inline(always)]
    fn put_rx_tail(&self) {
        if KIND == PCH { self.call_rx_tail() } else { self.put_fast(RDT, self.rx_tail() as u32) }
    }

    #[inline(never)]
    fn call_rx_tail(&self) {
        self.put(RDT, self.rx_tail() as u32);
    }

    #[inline(always)]
    fn rx_tail(&self) -> u8 {
        self.rx.wrapping_add(self.rx_buffers) & last_rx_desc(self.rx_buffers)
    }

    /// Makes an I219 release descriptors that it holds: a reset with them may hang it until the power is off. A descriptor of
    /// half a frame, which is not sent, pushes the others through.
    #[inline(never)]
    pub fn flush(&mut self) {
        // The part shows that it holds some when the transmitter is switched off.
        self.start_transmitter();
        self.bus.put32(self.tx_desc(self.tx).plus(LENGTH), FLUSHING);
        self.put(TDT, (self.tx.wrapping_add(1) % TX_DESCS) as u32);
        self.pause();
    }

    /// Stops interrupts and DMA, and resets the registers if the card can be reset.
    pub fn reset(&self) {
        self.put(IMC, !0);
        self.put(RCTL, 0);
        self.put(TCTL, 0);
        // PCH: without a read, fewer bytes. The reset restores the other bits.
        let mut control = if KIND == PCH { CTRL_SLU } else { self.get(CTRL) };
        if KIND != PCI {
            // A reset during a bus transaction may hang the bus.
            control |= CTRL_MASTER_DISABLE;
            self.put(CTRL, control);
            if KIND == PCH {
                // Without a look at STATUS: fewer bytes.
                self.pause();
            } else {
                let _ = self.bus.wait_briefly(MASTER_LIMIT, || self.get(STATUS) & STATUS_MASTER == 0);
            }
        }
        self.put(CTRL, control | CTRL_RST);
        if KIND == PCH {
            // The reset clears the interrupt mask.
            self.pause();
        } else {
            let _ = self.bus.wait_briefly(RESET_TIME, || false);
            self.put(IMC, !0);
        }
    }

    /// Starts or stops a queue, whose control register this is.
    pub fn set_queue(&self, register: u16, enable: u32) {
        self.put(register, enable);
        let _ = self.bus.poll(QUEUE_POLLS, || self.get(register) & QUEUE_ENABLE == enable);
    }

    /// Starts the transmitter with all descriptors free, at descriptor 0. The transmitter of [`QUEUES`] is on already: only its
    /// queue starts, which puts head and tail to 0 (I210 datasheet, TXDCTL); but QEMU's card keeps its head. [`PCH`] begins at the
    /// tail that the register has: a write of the tail may get lost, and the card would send old descriptors up to it.
    pub fn start_transmitter(&mut self) {
        if KIND == QUEUES {
            self.set_queue(TXDCTL, 0);
            self.set_queue(TXDCTL, QUEUE_ENABLE);
            self.tx = self.get(TDH) as u8 % TX_DESCS;
        } else if KIND == PCH {
            self.put(TCTL, 0);
            let tail = self.get(TDT);
            self.put(TDH, tail);
            self.tx = tail as u8;
            self.put(TDT, tail);
        } else {
            self.put(TCTL, 0);
            self.put(TDH, 0);
            self.tx = 0;
        }
        if KIND != PCH {
            self.put(TDT, self.tx as u32);
        }
        for index in 0..TX_DESCS {
            self.bus.put32(self.tx_desc(index).plus(STATE), DD);
        }
        if KIND != QUEUES {
            self.put(TCTL, TCTL_ON);
        }
    }

    #[inline(always)]
    fn tx_desc(&self, index: u8) -> Addr {
        self.descs.plus((index % TX_DESCS) as u16 * DESC as u16)
    }

    #[inline(always)]
    fn rx_desc(&self) -> Addr {
        // With three accesses to a descriptor a function is smaller.
        if KIND == QUEUES { self.find_rx_desc() } else { self.descs.plus((self.rx as u16 + TX_DESCS as u16) * DESC as u16) }
    }

    #[inline(never)]
    fn find_rx_desc(&self) -> Addr {
        self.descs.plus((self.rx as u16 + TX_DESCS as u16) * DESC as u16)
    }

    #[inline(always)]
    fn buffer(&self, index: u8) -> Addr {
        Addr(self.buffers.0 + index as u32 * BUFFER)
    }

    #[inline(always)]
    fn rx_buffer(&self) -> Addr {
        self.buffer((self.rx & self.rx_buffers.wrapping_sub(1)).wrapping_add(self.tx_buffers))
    }

    /// The same, by a call: fewer bytes, more instructions.
    #[inline(never)]
    fn called_rx_buffer(&self) -> Addr {
        self.rx_buffer()
    }

    /// The receive buffer of the next descriptor, once that was peeked at.
    #[inline(always)]
    fn peeked_buffer(&self) -> Addr {
        if W::REAL { self.peeked } else { self.called_rx_buffer() }
    }

    /// Whether the transmitter has room again, after it was found without: restarts it if it hangs. Not inline: `send` would need
    /// more stack for it at every frame, and a receiver that sends is where the stack is used most.
    #[inline(never)]
    fn unhang(&mut self) -> bool {
        let waited = self.ticks().wrapping_sub(self.sent_at);
        let hangs = waited >= HANG_TICKS && self.is_up();
        if hangs {
            self.start_transmitter();
        }
        hangs
    }

    #[inline(always)]
    fn is_up(&self) -> bool {
        self.get(STATUS) & STATUS_LU != 0
    }

    fn ticks(&self) -> u16 {
        self.bus.get16(TICKS)
    }

    /// Writes a receive address, whose low half is at `register`.
    #[inline(never)]
    fn set_filter(&self, register: u16, address: &MacAddr) {
        let [a, b, c, d, e, f] = *address;
        self.put(register, u32::from_le_bytes([a, b, c, d]));
        self.put(register + 4, u32::from_le_bytes([e, f, 0, 0]) | RAH_AV);
    }
}

impl<B: Bus, W: Window, const KIND: u8> Device for Gigabit<B, W, KIND> {
    fn irq(&mut self) -> Events {
        let causes = self.get_fast(ICR);
        // All ones: the card has been removed.
        if causes & CAUSES == 0 || causes == !0 {
            return Events::NONE;
        }
        if causes & CAUSE_RXO != 0 {
            self.count.lost = self.count.lost.wrapping_add(self.get(MPC));
            if KIND == PCH {
                // The last writes of the tail may be lost in the arbiter, and then the receiver has no descriptor.
                self.put_rx_tail();
            }
        }
        // Not masked: a cause that comes while frames are taken would interrupt as soon as the mask is open again, too.
        Events(Events::OPEN.0 | (causes & CAUSE_LSC) as u8)
    }

    fn unmask(&mut self) {
        self.put(IMS, CAUSES);
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        let desc = self.rx_desc();
        let (length, state, errors) =
            if KIND == QUEUES { (RX_LENGTH_QUEUES, RX_STATE_QUEUES, RX_ERROR_QUEUES) } else { (LENGTH, STATE, RX_ERRORS) };
        let state = self.bus.get32(desc.plus(state));
        if state & DD == 0 {
            return None;
        }
        let len = self.bus.get16(desc.plus(length));
        if W::REAL {
            self.peeked = self.rx_buffer();
        }
        // A frame has at least a MAC header.
        if state & (RX_EOP | errors) == RX_EOP && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(self.peeked_buffer(), head);
            return Rx::new(len);
        }
        self.count.errors_in = self.count.errors_in.wrapping_add(1);
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.peeked_buffer(), job);
    }

    fn discard(&mut self, _rx: Rx) {
        let desc = self.rx_desc();
        if KIND == QUEUES {
            let mut address = self.peeked_buffer().0;
            if !W::REAL {
                // The first transmit descriptor has the card's address of the first buffer.
                address = address.wrapping_sub(self.buffers.0).wrapping_add(self.bus.get32(self.descs));
            }
            self.bus.put32(desc, address);
            self.bus.put32(desc.plus(4), 0);
            self.bus.put32(desc.plus(RX_STATE_QUEUES), 0);
        } else {
            self.bus.put32(desc.plus(STATE), 0);
        }
        self.rx = self.rx.wrapping_add(1) & last_rx_desc(self.rx_buffers);
        self.put_rx_tail();
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let state = self.bus.get32(self.tx_desc(self.tx.wrapping_sub(self.tx_buffers)).plus(STATE));
        if state & (DD | TX_ERRORS) != DD {
            if state & DD == 0 && !self.unhang() {
                return Err(SendError::Busy);
            }
            self.count.errors_out = self.count.errors_out.wrapping_add(1);
        }
        let buffer = self.buffer(self.tx & self.tx_buffers.wrapping_sub(1));
        let padded = stage(&self.bus, job, buffer);
        let desc = self.tx_desc(self.tx);
        self.bus.put32(desc.plus(LENGTH), padded as u32 | COMMAND);
        self.bus.put32(desc.plus(STATE), 0);
        self.sent_at = self.ticks();
        self.tx = self.tx.wrapping_add(1) % TX_DESCS;
        self.put_tail(TDT, self.tx as u32);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        if KIND == PCH {
            // The other addresses are the management engine's. So groups are in the table alone.
            for index in 0..32 {
                self.put(MTA + index * 4, 0);
            }
            // Of the card's hash, ten bits of the last two bytes, the upper five: 32 times as many other groups come in, and the
            // code is smaller.
            if mode == RcvMode::Multicast {
                for [.., last] in groups {
                    self.put(MTA + ((*last >> 3) as u16) * 4, !0);
                }
            }
        } else {
            let mut groups = if mode == RcvMode::Multicast { groups.iter() } else { [].iter() };
            for index in 1..16 {
                let register = RAL0 + index * 8;
                match groups.next() {
                    Some(group) => self.set_filter(register, group),
                    None => self.put(register + 4, 0),
                }
            }
        }
        self.put(RCTL, RCTL_OF_MODE[mode as usize] as u32 | RCTL_SECRC);
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.set_filter(RAL0, address);
    }

    fn link(&mut self) -> Link {
        self.count.errors_in = self.count.errors_in.wrapping_add(self.get(CRCERRS));
        if self.is_up() { Link::Up } else { Link::Down }
    }

    fn speed(&mut self) -> u16 {
        let status = self.get(STATUS);
        match status >> STATUS_SPEED & 3 {
            0 => 10,
            1 => 100,
            // Of the cards with queues only the I225 and its relatives have this bit.
            _ if KIND == QUEUES && status & STATUS_2500 != 0 => 2500,
            _ => 1000,
        }
    }

    fn stop(&mut self) {
        // In V86 mode there is no I219, which has no ports.
        if KIND == PCH && W::REAL && self.get(FEXTNVM11) & FEXTNVM11_ONE != 0 {
            self.flush();
        }
        if KIND == PCH {
            // No driver is loaded. The reset restores the other bits.
            self.put(CTRL_EXT, 0);
        }
        self.reset();
    }
}
