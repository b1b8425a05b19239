//! Broadcom's gigabit controllers from the 5705 on (tg3: BCM57xx, BCM577xx), and the 5906 for 100 Mb/s.
//!
//! The memory is one block: the status block, at offset 64 the return ring (frames that have come), behind it the ring of receive
//! buffers and that of frames to send, then transmit buffers, then receive buffers. All three rings have the same number of
//! descriptors. Addresses are written once: descriptor `i` always has buffer `i`, counted modulo the number of buffers. How far
//! the card is, its status block says; how far the driver is, the card learns by mailboxes.

use core::marker::PhantomData;

use super::mii::{BMSR, BMSR_LINK};
use super::staging::stage;
use crate::bus::{Addr, Bus};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Miscellaneous control, in configuration space.
pub const MISC_CTL: u8 = 0x68;
/// Ends the request of the interrupt line.
pub const   MISC_CTL_CLEAR: u32 = 1 << 0;
/// The card does not request its interrupt line.
pub const   MISC_CTL_MASK: u32 = 1 << 1;
/// PCISTATE can be written.
pub const   MISC_CTL_STATE: u32 = 1 << 4;
/// Word swap, which the layout of descriptors needs, and access to registers by [`WINDOW`].
pub const   MISC_CTL_USUAL: u32 = 1 << 3 | 1 << 7;
/// Number of the register at [`WINDOW_DATA`], both in configuration space.
pub const WINDOW: u8 = 0x78;
/// The register.
pub const WINDOW_DATA: u8 = 0x80;
/// MAC mode.
pub const MAC_MODE: u16 = 0x0400;
const   MAC_MODE_HALF: u32 = 1 << 1;
const   MAC_MODE_MII: u32 = 1 << 2;
/// The port for gigabit.
const   MAC_MODE_GMII: u32 = 2 << 2;
/// All bits of the port.
const   MAC_MODE_PORT: u32 = 3 << 2;
/// MAC status; ones clear [`MAC_STATUS_CHANGES`].
pub const MAC_STATUS: u16 = 0x0404;
/// The link has changed, the PHY was read, and two causes of fiber.
pub const   MAC_STATUS_CHANGES: u32 = 1 << 22 | 1 << 12 | 3 << 3;
/// Station address: the first two bytes; at 4 behind it the others.
pub const MAC_ADDRESS: u16 = 0x0410;
/// Access to the PHY: data in bits 15:0, register in 20:16, PHY in 25:21.
pub const MI_COMM: u16 = 0x044C;
/// Write a register of the PHY.
pub const   MI_WRITE: u32 = 1 << 26 | MI_BUSY;
/// Read one.
pub const   MI_READ: u32 = 1 << 27 | MI_BUSY;
/// The access has not ended. Written as 1, it starts one.
pub const   MI_BUSY: u32 = 1 << 29;
/// Where the PHY's number is.
pub const   MI_PHY: u32 = 21;
/// Transmitter.
pub const TX_MODE: u16 = 0x045C;
/// Receiver.
pub const RX_MODE: u16 = 0x0468;
/// On.
pub const   RX_MODE_ON: u32 = 1 << 1;
const   RX_MODE_PROMISCUOUS: u32 = 1 << 8;
/// Its values by receive mode (1 to 6).
static RX_MODES: [u16; 7] = {
    const ON: u16 = RX_MODE_ON as u16;
    [0, 0, ON, ON, ON, ON, ON | RX_MODE_PROMISCUOUS as u16]
};
/// Multicast hash table, four double words.
const HASH: u16 = 0x0470;
/// Host coalescing: when the status block is written.
pub const HCC_MODE: u16 = 0x3C00;
/// On, with a status block of 32 bytes.
pub const   HCC_ON: u32 = 1 << 1 | 2 << 7;
/// Write the status block now, and interrupt.
const   HCC_NOW: u32 = 1 << 3;
/// Local control.
pub const LOCAL: u16 = 0x6808;
/// The interrupt is requested.
const   LOCAL_STATE: u32 = 1 << 0;
/// Request the interrupt.
pub const   LOCAL_SET: u32 = 1 << 2;

/// The modes of receiver, transmitter, and the blocks that do DMA or lead to it, in the order in which they are switched off.
static STOPS: [u16; 15] = [
    RX_MODE, 0x2C00, 0x2000, 0x2400, 0x2800, 0x3000, // receive
    0x1400, 0x1800, 0x0C00, 0x4800, 0x1000, 0x1C00, TX_MODE, // send; 4800: DMA reads
    HCC_MODE, 0x4C00, // 4C00: DMA writes
];

/// A mailbox, by which the driver tells the card an index.
#[derive(Clone, Copy)]
pub struct Mailbox {
    /// Where it is among the registers.
    memory: u16,
    /// Where it is in configuration space.
    config: u8,
}
/// Receive buffers: the one behind the last that is the card's.
pub const BUFFERS: Mailbox = Mailbox { memory: 0x026C, config: 0x9C };
/// The return ring: the frame that the driver takes next.
pub const RETURN: Mailbox = Mailbox { memory: 0x0284, config: 0xA4 };
/// Frames to send: the one behind the last.
pub const SEND: Mailbox = Mailbox { memory: 0x0304, config: 0xAC };
/// The interrupt's mailbox: 1 masks it, 0 does not; both end the present request.
const INTERRUPT: u16 = 0x0204;
/// Where the mailboxes of the 5906 are, more than those of the others.
pub const MAILBOXES_5906: u16 = 0x5600;

/// The status block: bit 0 it was written, bit 1 the link has changed.
const   STATUS_UPDATED: u16 = 1 << 0;
const   STATUS_LINK: u16 = 1 << 1;
/// The return ring: behind the last frame (16 bits).
const STATUS_RETURN: u16 = 0x10;
/// Frames to send: behind the last that was sent (16 bits).
const STATUS_SENT: u16 = 0x12;
/// Bytes for the status block. Its address and those of the rings are multiples of this.
pub const STATUS: u16 = 64;

/// Bytes of a receive descriptor: address (high half first), length, flags.
pub const RX_DESC: u16 = 32;
/// Length in bits 15:0, number of the buffer in bits 31:16.
pub const RX_LENGTH: u16 = 8;
/// Flags in bits 15:0.
pub const RX_FLAGS: u16 = 12;
const   RX_ERROR: u32 = 0x0400;
/// Bytes of a transmit descriptor: address (high half first), length.
pub const TX_DESC: u16 = 16;
/// Flags in bits 15:0, length in bits 31:16.
pub const TX_LENGTH: u16 = 8;
/// The descriptor is the last of its frame, or a whole buffer.
pub const END: u32 = 0x0004;
/// Bytes of the check sequence, which the card stores behind a frame.
const CRC: u16 = 4;
/// Bytes of a buffer. The card receives no frame of more than 1522 bytes.
pub const BUFFER: u16 = 1536;

/// Auxiliary status of the PHY: speed and duplex in bits 10:8; 0 on the 5906's, which has full duplex in bit 0.
const AUX: u8 = 0x19;
/// The MAC's port and duplex for these bits.
static MODES: [u8; 8] = {
    const MII: u8 = MAC_MODE_MII as u8;
    const GMII: u8 = MAC_MODE_GMII as u8;
    const HALF: u8 = MAC_MODE_HALF as u8;
    [MII | HALF, MII | HALF, MII, MII | HALF, MII | HALF, MII, GMII | HALF, GMII]
};
/// Configuration mechanism 1.
const CONFIG_ADDRESS: u16 = 0xCF8;
const CONFIG_DATA: u16 = 0xCFC;

/// How registers are reached. `place` is the address of the first one, or what [`config_place`] returns.
pub trait Window {
    /// An access is so few instructions that a call for it takes more.
    const REAL: bool = false;
    /// Limit for a register of the PHY, in reads: it takes 64 clocks of 2.5 MHz. No more, because `link` has a limit.
    const PHY_POLLS: u16 = 10;
    /// Reads a register.
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32;
    /// Writes a register.
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32);
    /// Writes a mailbox. `mailboxes`: 0 or [`MAILBOXES_5906`].
    fn post<B: Bus>(bus: &B, place: u32, mailboxes: u16, mailbox: Mailbox, value: u16);
    /// Ends the request of the interrupt, and masks it (1) or not (0). The card has seen that when this returns.
    fn interrupt<B: Bus>(bus: &B, place: u32, mailboxes: u16, mask: u8);
}

/// Registers in memory.
pub struct Memory;

impl Window for Memory {
    const REAL: bool = true;
    const PHY_POLLS: u16 = 25;
    #[inline(always)]
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        bus.get32(Addr(place).plus(register))
    }
    #[inline(always)]
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        bus.put32(Addr(place).plus(register), value);
    }
    #[inline(always)]
    fn post<B: Bus>(bus: &B, place: u32, mailboxes: u16, mailbox: Mailbox, value: u16) {
        bus.put32(Addr(place).plus(mailboxes).plus(mailbox.memory), value as u32);
    }
    #[inline(always)]
    fn interrupt<B: Bus>(bus: &B, place: u32, mailboxes: u16, mask: u8) {
        let at = Addr(place).plus(mailboxes).plus(INTERRUPT);
        bus.put32(at, mask as u32);
        // A write may be under way for long; the answer to a read comes behind it, and behind what the card has written before.
        bus.get32(at);
    }
}

/// Registers by the window in configuration space, which is reached by two ports: for V86 mode.
pub struct Config;

impl Config {
    /// Writes a register of configuration space. Another program may have selected a register: that stays selected.
    #[inline(never)]
    fn write<B: Bus>(bus: &B, place: u32, register: u8, value: u32) {
        let selected = bus.in32(CONFIG_ADDRESS);
        bus.out32(CONFIG_ADDRESS, place.wrapping_add((register - MISC_CTL) as u32));
        bus.out32(CONFIG_DATA, value);
        bus.out32(CONFIG_ADDRESS, selected);
    }
}

impl Window for Config {
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        let selected = bus.in32(CONFIG_ADDRESS);
        bus.out32(CONFIG_ADDRESS, place.wrapping_add((WINDOW - MISC_CTL) as u32));
        bus.out32(CONFIG_DATA, register as u32);
        bus.out32(CONFIG_ADDRESS, place.wrapping_add((WINDOW_DATA - MISC_CTL) as u32));
        let value = bus.in32(CONFIG_DATA);
        bus.out32(CONFIG_ADDRESS, selected);
        value
    }
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        Config::write(bus, place, WINDOW, register as u32);
        Config::write(bus, place, WINDOW_DATA, value);
    }
    #[inline(always)]
    fn post<B: Bus>(bus: &B, place: u32, mailboxes: u16, mailbox: Mailbox, value: u16) {
        if mailboxes != 0 {
            Config::put(bus, place, mailboxes.wrapping_add(mailbox.memory), value as u32);
        } else {
            Config::write(bus, place, mailbox.config, value as u32);
        }
    }
    #[inline(always)]
    fn interrupt<B: Bus>(bus: &B, place: u32, _mailboxes: u16, mask: u8) {
        Config::write(bus, place, MISC_CTL, MISC_CTL_USUAL | MISC_CTL_CLEAR | (mask as u32) << 1);
    }
}

/// The `place` of a card whose registers are reached through configuration space: the configuration address of its
/// [`MISC_CTL`]. Its lowest byte is not 0, as that of an address in memory is.
pub const fn config_place(pci: u16) -> u32 {
    1 << 31 | (pci as u32) << 8 | MISC_CTL as u32
}

/// Either of these.
pub struct Both;

impl Window for Both {
    fn get<B: Bus>(bus: &B, place: u32, register: u16) -> u32 {
        if place as u8 != 0 { Config::get(bus, place, register) } else { Memory::get(bus, place, register) }
    }
    fn put<B: Bus>(bus: &B, place: u32, register: u16, value: u32) {
        if place as u8 != 0 { Config::put(bus, place, register, value) } else { Memory::put(bus, place, register, value) }
    }
    fn post<B: Bus>(bus: &B, place: u32, mailboxes: u16, mailbox: Mailbox, value: u16) {
        if place as u8 != 0 {
            Config::post(bus, place, mailboxes, mailbox, value);
        } else {
            Memory::post(bus, place, mailboxes, mailbox, value);
        }
    }
    fn interrupt<B: Bus>(bus: &B, place: u32, mailboxes: u16, mask: u8) {
        if place as u8 != 0 {
            Config::interrupt(bus, place, mailboxes, mask);
        } else {
            Memory::interrupt(bus, place, mailboxes, mask);
        }
    }
}

/// A card.
#[repr(C)]
pub struct Tg3<B, W> {
    /// The counters, for the core.
    pub count: Counters,
    /// Where the registers are ([`Window`]).
    pub place: u32,
    /// The status block. The return ring follows.
    pub status: Addr,
    /// The ring of frames to send.
    pub sends: Addr,
    /// The transmit buffers; the receive buffers follow.
    pub buffers: Addr,
    /// The buffer whose frame was peeked at.
    pub peeked: Addr,
    /// 0, or [`MAILBOXES_5906`].
    pub mailboxes: u16,
    /// Descriptors of a ring less one.
    pub ring: u16,
    /// Number of the next frame in the return ring.
    pub rx: u16,
    /// Number of the next frame to send.
    pub tx: u16,
    /// Receive buffers, a power of two.
    pub rx_buffers: u8,
    /// Transmit buffers, a power of two.
    pub tx_buffers: u8,
    /// The PHY's number.
    pub phy: u8,
    /// 1: the receive mode is [`RcvMode::Direct`]. The card always accepts broadcasts.
    pub direct: u8,
    /// The link is up, by the PHY's last answer.
    pub up: bool,
    /// It was lost since the last call of `link`.
    pub lost: bool,
    /// The bus.
    pub bus: B,
    /// See [`Window`].
    pub window: PhantomData<W>,
}

impl<B: Bus, W: Window> Tg3<B, W> {
    /// Reads a register.
    #[inline(never)]
    pub fn get(&self, register: u16) -> u32 {
        W::get(&self.bus, self.place, register)
    }

    /// Writes a register.
    #[inline(never)]
    pub fn put(&self, register: u16, value: u32) {
        W::put(&self.bus, self.place, register, value);
    }

    /// Writes a mailbox.
    #[inline(always)]
    pub fn post(&self, mailbox: Mailbox, value: u16) {
        if W::REAL { W::post(&self.bus, self.place, self.mailboxes, mailbox, value) } else { self.called_post(mailbox, value) }
    }

    /// The same, by a call: fewer bytes, more instructions.
    #[inline(never)]
    fn called_post(&self, mailbox: Mailbox, value: u16) {
        W::post(&self.bus, self.place, self.mailboxes, mailbox, value);
    }

    /// Ends the request of the interrupt, and masks it (1) or not (0).
    #[inline(never)]
    pub fn interrupt(&self, mask: u8) {
        W::interrupt(&self.bus, self.place, self.mailboxes, mask);
    }

    /// Requests the interrupt.
    #[inline(never)]
    pub fn provoke(&self) {
        self.put(LOCAL, self.get(LOCAL) | LOCAL_SET);
    }

    /// Reads a register of the PHY.
    #[inline(never)]
    fn phy(&self, register: u8) -> u16 {
        self.put(MI_COMM, MI_READ | (self.phy as u32) << MI_PHY | (register as u32) << 16);
        let mut value = 0;
        let done = || {
            // Takes three microseconds.
            self.bus.clock();
            value = self.get(MI_COMM);
            value & MI_BUSY == 0
        };
        let _ = self.bus.poll(W::PHY_POLLS, done);
        value as u16
    }

    /// Gives the MAC the speed and duplex that the PHY has negotiated.
    #[inline(never)]
    pub fn follow(&mut self) {
        // A loss is shown until the register is read.
        let mut up = self.phy(BMSR) & BMSR_LINK != 0;
        if !up {
            self.lost |= self.up;
            up = self.phy(BMSR) & BMSR_LINK != 0;
        }
        self.up = up;
        // Without a link the port is some one: without a port the MAC would not see a link.
        let aux = self.phy(AUX);
        let mut mode = MODES[(aux >> 8 & 7) as usize];
        if aux & (7 << 8 | 1) == 1 {
            mode = MAC_MODE_MII as u8;
        }
        self.put(MAC_MODE, self.get(MAC_MODE) & !(MAC_MODE_PORT | MAC_MODE_HALF) | mode as u32);
    }

    #[inline(always)]
    fn buffer(&self, index: u8) -> Addr {
        Addr(self.buffers.0.wrapping_add(index as u32 * BUFFER as u32))
    }

    #[inline(always)]
    fn rx_desc(&self) -> Addr {
        Addr(self.status.0.wrapping_add(self.rx as u32 * RX_DESC as u32)).plus(STATUS)
    }
}

impl<B: Bus, W: Window> Device for Tg3<B, W> {
    // The status is cleared before the request is ended. An update that comes between the two is seen, since `interrupt`
    // returns behind it; one that comes later requests the interrupt again.
    fn irq(&mut self) -> Events {
        if self.bus.get16(self.status) & STATUS_UPDATED == 0 {
            // The interrupt was provoked, or another card's. All ones: the card is gone.
            let local = self.get(LOCAL);
            if local & LOCAL_STATE == 0 || local == !0 {
                return Events::NONE;
            }
        }
        // The request ends before the status block is taken: what comes between is in the block, what comes later is requested anew.
        self.interrupt(0);
        let status = self.bus.swap16(self.status, 0);
        if status & STATUS_LINK == 0 {
            return Events::OPEN;
        }
        self.put(MAC_STATUS, MAC_STATUS_CHANGES);
        self.follow();
        Events(Events::OPEN.0 | Events::LINK.0)
    }

    fn unmask(&mut self) {
        self.interrupt(0);
        // That has ended the request for what has come before.
        if self.bus.get16(self.status) & STATUS_UPDATED != 0 {
            self.provoke();
        }
    }

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        if self.bus.get16(self.status.plus(STATUS_RETURN)) == self.rx {
            return None;
        }
        let desc = self.rx_desc();
        let length = self.bus.get32(desc.plus(RX_LENGTH));
        let buffer = (length >> 16) as u8 & self.rx_buffers.wrapping_sub(1);
        self.peeked = self.buffer(buffer.wrapping_add(self.tx_buffers));
        let len = (length as u16).wrapping_sub(CRC);
        // A frame has at least a MAC header.
        if self.bus.get32(desc.plus(RX_FLAGS)) & RX_ERROR == 0 && len.wrapping_sub(14) <= MAX_FRAME - 14 {
            self.bus.take_head(self.peeked, head);
            if head[0] & self.direct == 0 {
                return Rx::new(len);
            }
        } else {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
        }
        Some(Rx::USELESS)
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.peeked, job);
    }

    fn discard(&mut self, _rx: Rx) {
        self.rx = self.rx.wrapping_add(1) & self.ring;
        self.post(RETURN, self.rx);
        self.post(BUFFERS, self.rx.wrapping_add(self.rx_buffers as u16) & self.ring);
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        let index = self.tx;
        if index.wrapping_sub(self.bus.get16(self.status.plus(STATUS_SENT))) & self.ring >= self.tx_buffers as u16 {
            // The card may have missed the mailbox, or its last write of the status block was lost.
            self.called_post(SEND, index);
            self.put(HCC_MODE, HCC_ON | HCC_NOW);
            return Err(SendError::Busy);
        }
        let padded = stage(&self.bus, job, self.buffer(index as u8 & self.tx_buffers.wrapping_sub(1)));
        self.bus.put32(self.sends.plus(index * TX_DESC).plus(TX_LENGTH), (padded as u32) << 16 | END);
        self.tx = index.wrapping_add(1) & self.ring;
        self.post(SEND, self.tx);
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.direct = (mode == RcvMode::Direct) as u8;
        let all = if mode >= RcvMode::AllMulticast { !0 } else { 0 };
        for index in 0..4 {
            self.put(HASH + index * 4, all);
        }
        for group in groups {
            if mode != RcvMode::Multicast {
                break;
            }
            let bit = hash(group);
            let register = HASH + (bit >> 5 << 2) as u16;
            self.put(register, self.get(register) | 1 << (bit & 31));
        }
        self.put(RX_MODE, RX_MODES[mode as usize] as u32);
    }

    // The card has three more such addresses, which nothing sets.
    fn set_address(&mut self, address: &MacAddr) {
        // First byte highest; in a loop, because rustc would use an instruction that a 386 does not have.
        let (mut register, mut value) = (MAC_ADDRESS, 0);
        for (index, byte) in address.iter().enumerate() {
            value = value << 8 | *byte as u32;
            if matches!(index, 1 | 5) {
                self.put(register, value);
                register += 4;
            }
        }
    }

    fn link(&mut self) -> Link {
        self.follow();
        let down = self.lost || !self.up;
        self.lost = false;
        if down { Link::Down } else { Link::Up }
    }

    // The next driver resets the card: that takes 100 ms, and its firmware up to a second.
    fn speed(&mut self) -> u16 {
        match self.phy(AUX) >> 8 & 7 {
            1 | 2 => 10,
            3..=5 => 100,
            6 | 7 => 1000,
            _ => 0,
        }
    }

    fn stop(&mut self) {
        self.interrupt(1);
        for register in &STOPS {
            self.put(*register, 0);
        }
    }
}

/// The bit of the hash table that a multicast address selects: the low seven bits of its CRC-32, low bit of each byte first.
#[inline(never)]
fn hash(address: &MacAddr) -> u8 {
    let mut crc = !0u32;
    for byte in address {
        crc ^= *byte as u32;
        for _ in 0..8u8 {
            let carry = crc & 1 != 0;
            crc >>= 1;
            if carry {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    crc as u8 & 0x7F
}
