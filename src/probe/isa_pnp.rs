//! ISA Plug and Play, as far as a card needs it that nothing else has given resources (Plug and Play ISA Specification
//! 1.0a).

use crate::bus::Bus;

/// Written by software, heard by every card.
const ADDRESS: u16 = 0x279;
const WRITE: u16 = 0xA79;
/// Where cards may be told to answer; the first where nothing else does.
const READ_PORTS: [u16; 5] = [0x273, 0x213, 0x233, 0x253, 0x393];

/// Registers of a card.
const SET_READ_PORT: u8 = 0x00;
const ISOLATE: u8 = 0x01;
const CONTROL: u8 = 0x02;
const   CONTROL_WAIT_FOR_KEY: u8 = 1 << 1;
const   CONTROL_RESET_CSN: u8 = 1 << 2;
const WAKE: u8 = 0x03;
const CSN: u8 = 0x06;
/// Registers of a logical device.
const DEVICE: u8 = 0x07;
const ACTIVATE: u8 = 0x30;
const IO_BASE: u8 = 0x60;
const IRQ: u8 = 0x70;
const DMA: u8 = 0x74;
const SECOND_DMA: u8 = 0x75;
const   DMA_NONE: u8 = 4;

/// The key is 32 steps of a shift register that begins with this.
const KEY: u8 = 0x6A;
/// How far bus masters on the ISA bus reach: 24 lines of addresses.
pub const REACH: u32 = 1 << 24;

/// Bits of the identifier: vendor and product, serial number, checksum.
const ID_BITS: u8 = 72;
/// What software waits before the first pair of bits, and before each other, in microseconds.
const FIRST_US: u16 = 1_000;
const PAIR_US: u16 = 250;
/// Cards in one machine.
const CARDS: u8 = 12;

/// Steps the register that makes both the key and the checksum, with a bit of data.
fn step(state: u8, bit: u8) -> u8 {
    state >> 1 | ((state ^ state >> 1 ^ bit) & 1) << 7
}

fn put(bus: &impl Bus, register: u8, value: u8) {
    bus.out8(ADDRESS, register);
    bus.out8(WRITE, value);
}

fn pause(bus: &impl Bus, us: u16) {
    // Its end by the limit is what is wanted.
    let _ = bus.wait(us, || false);
}

fn key(bus: &impl Bus) {
    bus.out8(ADDRESS, 0);
    bus.out8(ADDRESS, 0);
    let mut byte = KEY;
    for _ in 0..32 {
        bus.out8(ADDRESS, byte);
        byte = step(byte, 0);
    }
}

/// Lets the cards without a number contend with their identifiers; the winner's vendor and product.
fn isolate(bus: &impl Bus, port: u16) -> Option<u32> {
    put(bus, WAKE, 0);
    put(bus, SET_READ_PORT, (port >> 2) as u8);
    bus.out8(ADDRESS, ISOLATE);
    pause(bus, FIRST_US);
    let (mut id, mut byte, mut sum) = (0u32, 0u8, KEY);
    for bit in 0..ID_BITS {
        let pair = [bus.in8(port), bus.in8(port)];
        let one = (pair == [0x55, 0xAA]) as u8;
        byte = byte >> 1 | one << 7;
        if bit < 64 {
            sum = step(sum, one);
        }
        if bit < 32 && bit & 7 == 7 {
            id = id << 8 | byte as u32;
            // Every vendor's first letter has a one: no card is there.
            if id == 0 {
                return None;
            }
        }
        pause(bus, PAIR_US);
    }
    // Nobody gives zeros, whose checksum would be wrong.
    (byte == sum && id != 0).then_some(id)
}

/// A card in the configuration state.
pub struct Card<'a, B> {
    bus: &'a B,
    port: u16,
}

impl<'a, B: Bus> Card<'a, B> {
    /// Gives every card a number, anew, and takes the one behind the first `skip` whose vendor and product `wanted` knows
    /// and which nobody uses. What the cards have been given stays theirs.
    pub fn find(bus: &'a B, mut skip: u8, wanted: impl Fn(u32) -> bool, taken: impl Fn(u16) -> bool) -> Option<Self> {
        let quiet = |port: &u16| bus.in8(*port) == 0xFF;
        key(bus);
        put(bus, CONTROL, CONTROL_RESET_CSN);
        pause(bus, FIRST_US);
        let mut ours = 0u16;
        let mut found = None;
        for port in READ_PORTS.into_iter().filter(quiet) {
            let mut number = 1;
            while number <= CARDS
                && let Some(id) = isolate(bus, port)
            {
                put(bus, CSN, number);
                ours |= (wanted(id) as u16) << number;
                number += 1;
            }
            if number > 1 {
                found = Some(port);
                break;
            }
        }
        let card = Card { bus, port: found? };
        for number in (1..=CARDS).filter(|number| ours >> number & 1 != 0) {
            put(bus, WAKE, number);
            put(bus, DEVICE, 0);
            if !card.active() || !taken(card.io()) {
                if skip == 0 {
                    return Some(card);
                }
                skip -= 1;
            }
        }
        card.close();
        None
    }

    fn get(&self, register: u8) -> u8 {
        self.bus.out8(ADDRESS, register);
        self.bus.in8(self.port)
    }

    /// Has somebody given it resources?
    pub fn active(&self) -> bool {
        self.get(ACTIVATE) & 1 != 0
    }

    /// Its first port.
    pub fn io(&self) -> u16 {
        u16::from_be_bytes([self.get(IO_BASE), self.get(IO_BASE + 1)])
    }

    /// Its interrupt line.
    pub fn irq(&self) -> u8 {
        self.get(IRQ) & 15
    }

    /// Its DMA channel; 4: none.
    pub fn dma(&self) -> u8 {
        self.get(DMA) & 7
    }

    /// Gives an active card a DMA channel.
    pub fn set_dma(&self, channel: u8) {
        put(self.bus, ACTIVATE, 0);
        put(self.bus, DMA, channel);
        put(self.bus, ACTIVATE, 1);
    }

    /// The DMA channels that other cards have by their first logical device, bit by bit.
    pub fn channels_of_others(&self) -> u8 {
        let own = self.get(CSN);
        let mut channels = 0;
        for number in (1..=CARDS).filter(|number| *number != own) {
            put(self.bus, WAKE, number);
            put(self.bus, DEVICE, 0);
            // Where there is no card all bits are ones.
            if self.get(ACTIVATE) == 1 {
                channels |= 1 << self.dma() | 1 << (self.get(SECOND_DMA) & 7);
            }
        }
        put(self.bus, WAKE, own);
        put(self.bus, DEVICE, 0);
        channels
    }

    /// Gives it a line, and ports if `io` is not 0, and lets it answer there; no DMA.
    pub fn activate(&self, io: u16, irq: u8) {
        put(self.bus, ACTIVATE, 0);
        if io != 0 {
            let [high, low] = io.to_be_bytes();
            put(self.bus, IO_BASE, high);
            put(self.bus, IO_BASE + 1, low);
        }
        put(self.bus, IRQ, irq);
        put(self.bus, DMA, DMA_NONE);
        put(self.bus, ACTIVATE, 1);
    }

    /// Done with it; where it turned out to be of no use, it does not answer any more.
    pub fn keep(self, useful: bool) {
        if !useful {
            put(self.bus, ACTIVATE, 0);
        }
        self.close();
    }

    /// Done with it, and with the others.
    pub fn close(self) {
        put(self.bus, CONTROL, CONTROL_WAIT_FOR_KEY);
    }
}

/// Is nothing there at these ports?
pub fn free(bus: &impl Bus, first: u16, count: u16) -> bool {
    (0..count).all(|offset| bus.in8(first.wrapping_add(offset)) == 0xFF)
}
