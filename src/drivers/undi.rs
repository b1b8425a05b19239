//! A card that its own ROM drives: the UNDI of Preboot Execution Environment 2.1, in real mode. The driver copies frames
//! between its clients and two buffers, and calls the ROM. The ROM is polled at every timer tick and every call, and asked at each
//! interrupt of its card where one arrives.
//!
//! Nothing that the ROM answers is believed without a check. A ROM call that does not return cannot be ended.

use core::mem::offset_of;

use super::staging::stage;
use crate::bus::{Addr, Bus, Far};
use crate::device::{Counters, Device, Events, Head, Job, Link, MAX_FRAME, MacAddr, RcvMode, Rx, SendError};

/// Opcodes (chapter 3.4).
pub const START_UNDI: u16 = 0x00;
/// See above.
pub const STARTUP: u16 = 0x01;
const CLEANUP: u16 = 0x02;
/// See above.
pub const INITIALIZE: u16 = 0x03;
const SHUTDOWN: u16 = 0x05;
const OPEN: u16 = 0x06;
/// See above.
pub const CLOSE: u16 = 0x07;
const TRANSMIT: u16 = 0x08;
const SET_STATION_ADDRESS: u16 = 0x0A;
const SET_PACKET_FILTER: u16 = 0x0B;
/// See above.
pub const GET_INFORMATION: u16 = 0x0C;
/// See above.
pub const GET_NIC_TYPE: u16 = 0x12;
const ISR: u16 = 0x14;
const STOP_UNDI: u16 = 0x15;
/// Not an opcode: calls the ROM's loader (asm/rom.asm).
pub const LOADER: u16 = 0xFFFF;

// What ISR is asked for, and what it answers.
const IN_START: u8 = 1;
const IN_PROCESS: u8 = 2;
const IN_GET_NEXT: u8 = 3;
const OUT_TRANSMIT: u16 = 2;
const OUT_RECEIVE: u16 = 3;

/// The packet filter of a receive mode (1 to 6): 0, 1, 3, 7, 7, 7; directed 1, broadcast 2, promiscuous 4. Groups are taken out of
/// all frames by [`Undi::wants`], because many ROMs refuse a list of groups once they are open.
const fn filter(mode: RcvMode) -> u16 {
    1u16.wrapping_shl((mode as u32).wrapping_sub(1)).wrapping_sub(1) & 7
}

/// Most answers of the ROM in one call of `peek`: more than the frames that a card holds. A ROM that never says that it is done
/// is left at that until the next tick.
const ANSWERS: u8 = 64;
/// Answers that a frame waits for while the ROM still sends the one before it.
const SENDING: u8 = 64;
/// Ticks after which the ROM's buffer is taken for free: some ROMs lose the end of a transmission.
const LOST: u8 = 2;

/// Words of a parameter block: as many as OPEN has with its list of groups.
pub const BLOCK: usize = 68;
/// The word at which the transmit descriptor lies, in the same block.
const DESCRIPTOR: usize = 16;

/// The ROM, and a call of it (asm/rom.asm).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Rom {
    /// Its entry point.
    pub entry: Far,
    /// The top of the stack for its calls.
    pub stack: Far,
    /// What asm/rom.asm keeps during a call.
    pub kept: [u16; 5],
    /// Not 0: a call is in progress.
    pub taken: u8,
    /// The low byte of the BIOS's count of timer ticks, at the end of the last call.
    pub tick: u8,
    /// The bit of the card's line in the masks of the interrupt controllers: it is masked during a call. 0: the card is polled.
    pub line: u16,
    /// The parameter block. The first word is the status.
    pub block: [u16; BLOCK],
}

const _: () = assert!(
    offset_of!(Rom, taken) == 18 && offset_of!(Rom, line) == 20 && offset_of!(Rom, block) == 22,
    "asm/rom.asm has the same"
);

impl Rom {
    /// One whose card is polled.
    pub fn new(entry: Far, stack: Far) -> Rom {
        Rom { entry, stack, kept: [0; 5], taken: 0, tick: 0, line: 0, block: [0; BLOCK] }
    }
}

/// Bytes of each buffer for a frame.
pub const BUFFER: u16 = 0x5F0;

/// The card.
#[repr(C)]
pub struct Undi<B> {
    count: Counters,
    /// The receive buffer; the transmit buffer lies [`BUFFER`] bytes behind it.
    buffer: Addr,
    /// The list of groups.
    groups: *const MacAddr,
    /// Bytes of a whole frame in the receive buffer; 0: there is none.
    ready: u16,
    /// Bytes of a frame that comes in pieces.
    got: u16,
    /// The packet filter of the receive mode.
    filter: u16,
    /// Addresses in the list.
    listed: u8,
    mode: RcvMode,
    mac: MacAddr,
    /// What ISR is asked for next. [`IN_START`]: the ROM has said that it is done.
    next: u8,
    /// The ROM has a frame, and has not said that it is sent.
    sends: bool,
    /// [`Rom::tick`] when it was given.
    given: u8,
    /// A network boot has left the ROM's driver, and is its owner.
    adopted: bool,
    /// The ROM. Behind the others, which instructions with short offsets reach then.
    pub rom: Rom,
    bus: B,
}

/// A far address of a linear one below 1 MB.
#[inline(never)]
fn far(at: Addr) -> Far {
    Far::new((at.0 >> 4) as u16, at.0 as u16 & 15)
}

impl<B: Bus> Undi<B> {
    /// The driver of a card whose ROM is not started yet. `buffer`: two of [`BUFFER`] bytes.
    pub fn new(bus: B, entry: Far, stack: Far, buffer: Addr) -> Self {
        Undi {
            count: Counters::default(),
            buffer,
            groups: core::ptr::null(),
            ready: 0,
            got: 0,
            filter: filter(RcvMode::Broadcast),
            listed: 0,
            mode: RcvMode::Broadcast,
            mac: [0; 6],
            next: IN_START,
            sends: false,
            given: 0,
            adopted: false,
            rom: Rom::new(entry, stack),
            bus,
        }
    }

    /// Calls the ROM. False: it answers with an error.
    #[inline(never)]
    pub fn call(&mut self, opcode: u16) -> bool {
        self.bus.rom_call(&mut self.rom, opcode) == 0
    }

    /// The bus, for the probe.
    pub fn bus(&self) -> &B {
        &self.bus
    }

    /// The ROM's driver was left by a network boot, with this entry point.
    pub fn adopt(&mut self, entry: Far) {
        self.rom.entry = entry;
        self.adopted = true;
    }

    /// Whether it was.
    pub fn is_adopted(&self) -> bool {
        self.adopted
    }

    /// The card's own address, as the ROM tells it.
    pub fn set_own(&mut self, mac: MacAddr) {
        self.mac = mac;
    }

    /// Opens the card with the packet filter of the receive mode.
    #[inline(never)]
    pub fn open(&mut self) -> bool {
        self.rom.block[1] = 0;
        self.rom.block[2] = self.filter;
        self.rom.block[3] = 0;
        self.call(OPEN)
    }

    /// Calls ISR; its answer. An error is one that means nothing.
    #[inline(never)]
    fn isr(&mut self) -> u16 {
        self.rom.block[1] = self.next as u16;
        if self.call(ISR) { self.rom.block[1] } else { 0 }
    }

    /// Has the ROM acknowledge the card's interrupt; its card makes none from then on until the ROM is done. Not every ROM knows
    /// whether an interrupt is its own: its answer is not looked at.
    #[inline(never)]
    fn begin(&mut self) {
        if self.next == IN_START {
            self.isr();
            self.next = IN_PROCESS;
        }
    }

    /// Has one answer of the ROM. False: it has nothing to say.
    #[inline(never)]
    fn step(&mut self) -> bool {
        self.begin();
        let answer = self.isr();
        self.next = IN_GET_NEXT;
        match answer {
            OUT_RECEIVE => self.piece(),
            OUT_TRANSMIT => self.sends = false,
            _ => {
                self.next = IN_START;
                self.got = 0;
                return false;
            }
        }
        true
    }

    /// Takes a piece of a frame, most often a whole one, before the next call makes it void.
    #[inline(always)]
    fn piece(&mut self) {
        let (len, whole) = (self.rom.block[2], self.rom.block[3]);
        let got = self.got;
        let end = got.wrapping_add(len);
        self.got = 0;
        if !(14..=MAX_FRAME).contains(&whole) || end > whole || end <= got {
            self.count.errors_in = self.count.errors_in.wrapping_add(1);
            return;
        }
        let from = Far::new(self.rom.block[6], self.rom.block[5]).linear();
        let to = far(self.buffer.plus(got));
        self.bus.take(from, to, len);
        if end == whole {
            self.ready = whole;
        } else {
            self.got = end;
        }
    }

    /// Whether the receive mode wants a frame: ROMs pass others on, too.
    #[inline(always)]
    fn wants(&self, head: &Head) -> bool {
        let mode = self.mode;
        if mode == RcvMode::Promiscuous || mode == RcvMode::Off {
            return mode == RcvMode::Promiscuous;
        }
        if head[0] & 1 == 0 {
            return head[..6] == self.mac;
        }
        if head[..6] == [0xFF; 6] {
            return mode >= RcvMode::Broadcast;
        }
        // SAFETY: the core's list, which stays in place and unchanged until the next `set_rcv_mode`.
        let groups = unsafe { core::slice::from_raw_parts(self.groups, self.listed as usize) };
        mode == RcvMode::AllMulticast || mode == RcvMode::Multicast && groups.iter().any(|group| head[..6] == *group)
    }
}

impl<B: Bus> Device for Undi<B> {
    // The timer's tick, which may come in a call of the ROM, or the card's interrupt on a line that no other card has. The way
    // out of the entry calls `peek`.
    fn irq(&mut self) -> Events {
        if self.rom.taken == 0 {
            self.begin();
        }
        Events::NONE
    }

    fn unmask(&mut self) {}

    fn peek(&mut self, head: &mut Head) -> Option<Rx> {
        for _ in 0..ANSWERS {
            if self.ready != 0 {
                self.bus.take_head(self.buffer, head);
                if self.wants(head) {
                    return Rx::new(self.ready);
                }
                self.ready = 0;
            }
            if !self.step() {
                break;
            }
        }
        None
    }

    fn copy(&mut self, job: &Job) {
        self.bus.take_frame(self.buffer, job);
    }

    fn discard(&mut self, _rx: Rx) {
        self.ready = 0;
    }

    fn send(&mut self, job: &Job) -> Result<(), SendError> {
        // In a call the ROM has enabled interrupts, and a handler sends.
        if self.rom.taken != 0 {
            return Err(SendError::Busy);
        }
        for _ in 0..SENDING {
            // A frame in the receive buffer must not be overwritten.
            if !self.sends || self.ready != 0 {
                break;
            }
            self.step();
        }
        if self.sends && self.rom.tick.wrapping_sub(self.given) < LOST {
            return Err(SendError::Busy);
        }
        let to = self.buffer.plus(BUFFER);
        let len = stage(&self.bus, job, to);
        let Far(frame) = far(to);
        let Far(descriptor) = self.bus.far_of(&raw const self.rom.block[DESCRIPTOR] as *const u8);
        let block = &mut self.rom.block;
        block[1] = 0;
        block[4] = descriptor as u16;
        block[5] = (descriptor >> 16) as u16;
        block[DESCRIPTOR] = len;
        block[DESCRIPTOR + 1] = frame as u16;
        block[DESCRIPTOR + 2] = (frame >> 16) as u16;
        block[DESCRIPTOR + 3] = 0;
        if !self.call(TRANSMIT) {
            return Err(SendError::Failed);
        }
        self.sends = true;
        self.given = self.rom.tick;
        Ok(())
    }

    fn set_rcv_mode(&mut self, mode: RcvMode, groups: &[MacAddr]) {
        self.mode = mode;
        self.groups = groups.as_ptr();
        self.listed = groups.len() as u8;
        self.filter = filter(mode);
        self.rom.block[1] = self.filter;
        if !self.call(SET_PACKET_FILTER) {
            self.call(CLOSE);
            self.open();
        }
    }

    fn set_address(&mut self, address: &MacAddr) {
        self.mac = *address;
        // A ROM takes an address only while it is closed.
        self.call(CLOSE);
        let [a, b, c, d, e, f] = *address;
        self.rom.block[1] = u16::from_le_bytes([a, b]);
        self.rom.block[2] = u16::from_le_bytes([c, d]);
        self.rom.block[3] = u16::from_le_bytes([e, f]);
        self.call(SET_STATION_ADDRESS);
        self.open();
        self.next = IN_START;
        self.sends = false;
    }

    fn link(&mut self) -> Link {
        Link::Unknown
    }

    fn stop(&mut self) {
        self.call(CLOSE);
        if self.adopted {
            return;
        }
        self.call(SHUTDOWN);
        self.call(CLEANUP);
        if !self.call(STOP_UNDI) {
            self.bus.keep_memory();
        }
    }
}
