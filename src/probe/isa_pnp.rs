//! ISA Plug and Play, for a card that no firmware has given resources (Plug and Play ISA Specification 1.0a). Probes call it.

use crate::bus::Bus;

// Ports that all cards listen to.
const ADDRESS: u16 = 0x279;
const WRITE: u16 = 0xA79;
/// Ports at which cards may be told to answer; the first where nothing else answers is used.
const READ_PORTS: [u16; 5] = [0x273, 0x213, 0x233, 0x253, 0x393];

// Registers of a card.
const SET_READ_PORT: u8 = 0x00;
const ISOLATE: u8 = 0x01;
const CONTROL: u8 = 0x02;
const   CONTROL_WAIT_FOR_KEY: u8 = 1 << 1;
const   CONTROL_RESET_CSN: u8 = 1 << 2;
const WAKE: u8 = 0x03;
const CSN: u8 = 0x06;
// Registers of a logical device.
const DEVICE: u8 = 0x07;
const ACTIVATE: u8 = 0x30;
const IO_BASE: u8 = 0x60;
const IRQ: u8 = 0x70;
const DMA: u8 = 0x74;
const SECOND_DMA: u8 = 0x75;
const   DMA_NONE: u8 = 4;

/// Start value of the shift register that makes the 32 bytes of the key.
const KEY: u8 = 0x6A;
/// The end of memory for bus masters on the ISA bus, which has 24 address lines.
pub const REACH: u32 = 1 << 24;

/// Bits of the identifier: vendor and product, serial number, checksum.
const ID_BITS: u8 = 72;
// Waits before the first pair of bits and before each other pair, in microseconds.
const FIRST_US: u16 = 1_000;
const PAIR_US: u16 = 250;
/// The most cards in a machine.
const CARDS: u8 = 12;

/// One step, with a bit of data, of the register that makes both the key and the checksum.
fn step(state: u8, bit: u8) -> u8 {
    state >> 1 | ((state ^ state >> 1 ^ bit) & 1) << 7
}

fn put(bus: &impl Bus, register: u8, value: u8) {
    bus.out8(ADDRESS, register);
    bus.out8(WRITE, value);
}

fn pause(bus: &impl Bus, us: u16) {
    // The wait always reaches its limit: it is used as a delay.
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

/// Isolates one of the cards that have no number yet; returns its vendor and product.
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
            // The first bits of every identifier include a one: no card answers.
            if id == 0 {
                return None;
            }
        }
        pause(bus, PAIR_US);
    }
    // An identifier of zeros would have another checksum.
    (byte == sum && id != 0).then_some(id)
}

/// A card in its configuration state.
pub struct Card<'a, B> {
    bus: &'a B,
    port: u16,
}

impl<'a, B: Bus> Card<'a, B> {
    /// Numbers all cards anew. Returns a card whose vendor and product are `wanted` and whose ports are not `taken`, the one
    /// behind the first `skip` of these. All cards keep their resources.
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

    /// Whether the card is active: it has been given resources.
    pub fn active(&self) -> bool {
        self.get(ACTIVATE) & 1 != 0
    }

    /// The card's first port.
    pub fn io(&self) -> u16 {
        u16::from_be_bytes([self.get(IO_BASE), self.get(IO_BASE + 1)])
    }

    /// The card's interrupt line.
    pub fn irq(&self) -> u8 {
        self.get(IRQ) & 15
    }

    /// The card's DMA channel; 4: none.
    pub fn dma(&self) -> u8 {
        self.get(DMA) & 7
    }

    /// Gives the active card a DMA channel.
    pub fn set_dma(&self, channel: u8) {
        put(self.bus, ACTIVATE, 0);
        put(self.bus, DMA, channel);
        put(self.bus, ACTIVATE, 1);
    }

    /// The DMA channels of the other cards' first logical devices, one bit each.
    pub fn channels_of_others(&self) -> u8 {
        let own = self.get(CSN);
        let mut channels = 0;
        for number in (1..=CARDS).filter(|number| *number != own) {
            put(self.bus, WAKE, number);
            put(self.bus, DEVICE, 0);
            // All ones: there is no card.
            if self.get(ACTIVATE) == 1 {
                channels |= 1 << self.dma() | 1 << (self.get(SECOND_DMA) & 7);
            }
        }
        put(self.bus, WAKE, own);
        put(self.bus, DEVICE, 0);
        channels
    }

    /// Gives the card a line, and ports if `io` is not 0, and activates it; without DMA.
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

    /// Ends the configuration; a card that is not `useful` is deactivated.
    pub fn keep(self, useful: bool) {
        if !useful {
            put(self.bus, ACTIVATE, 0);
        }
        self.close();
    }

    /// Ends the configuration of all cards.
    pub fn close(self) {
        put(self.bus, CONTROL, CONTROL_WAIT_FOR_KEY);
    }
}

/// Whether all these ports read as ones: no hardware is there.
pub fn free(bus: &impl Bus, first: u16, count: u16) -> bool {
    (0..count).all(|offset| bus.in8(first.wrapping_add(offset)) == 0xFF)
}
