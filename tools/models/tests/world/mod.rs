//! A world for one card: time that advances with each access, memory, a wire, and a list of complaints that must be empty at the
//! end.

#![allow(dead_code, reason = "each test file uses its part")]

use models::corkscrew::Corkscrew;
use models::isa::Card;
use models::{Env, Model};

/// Nanoseconds of an access.
pub const ACCESS: u64 = 1_000;

/// The world, and what the card did.
#[derive(Default)]
pub struct World {
    pub now: u64,
    pub line: bool,
    /// Rising edges of the interrupt line.
    pub edges: u32,
    pub sent: Vec<Vec<u8>>,
    pub memory: Vec<u8>,
    /// No DMA channel gets the bus.
    pub bus_is_taken: bool,
    /// The PCI command register, if the card has set it.
    pub command: Option<u16>,
    /// The card is not in D0.
    pub asleep: bool,
    pub complaints: Vec<String>,
    /// What the card has last set in its configuration space.
    pub config: Option<(u8, u16)>,
}

impl Env for World {
    fn now_ns(&self) -> u64 {
        self.now
    }
    fn set_irq(&mut self, active: bool) {
        self.edges += (active && !self.line) as u32;
        self.line = active;
    }
    fn transmit(&mut self, frame: &[u8]) {
        self.sent.push(frame.to_vec());
    }
    fn dma_read(&mut self, address: u32, to: &mut [u8]) {
        to.copy_from_slice(&self.memory[address as usize..][..to.len()]);
    }
    fn dma_write(&mut self, address: u32, from: &[u8]) {
        self.memory[address as usize..][..from.len()].copy_from_slice(from);
    }
    fn cascades(&self, channel: u8) -> bool {
        channel != 4 && !self.bus_is_taken
    }
    fn set_config(&mut self, at: u8, value: u16) {
        self.config = Some((at, value));
    }
    fn set_command(&mut self, value: u16) {
        self.command = Some(value);
    }
    fn asleep(&self) -> bool {
        self.asleep
    }
    fn complain(&mut self, what: &str) {
        self.complaints.push(what.into());
    }
}

/// A card in its world.
pub struct Rig<M: Model> {
    pub card: M,
    pub world: World,
}

impl<M: Model> Rig<M> {
    pub fn new(card: M) -> Rig<M> {
        Rig { card, world: World { memory: vec![0; 0x10000], ..World::default() } }
    }
    pub fn read(&mut self, offset: u16, width: u8) -> u32 {
        self.world.now += ACCESS;
        self.card.read(&mut self.world, offset, width)
    }
    pub fn write(&mut self, offset: u16, width: u8, value: u32) {
        self.world.now += ACCESS;
        self.card.write(&mut self.world, offset, width, value);
    }
    pub fn in8(&mut self, offset: u16) -> u8 {
        self.read(offset, 1) as u8
    }
    pub fn in16(&mut self, offset: u16) -> u16 {
        self.read(offset, 2) as u16
    }
    pub fn out8(&mut self, offset: u16, value: u8) {
        self.write(offset, 1, value as u32);
    }
    pub fn out16(&mut self, offset: u16, value: u16) {
        self.write(offset, 2, value as u32);
    }
    /// Gives a command, and waits for its end, at most 5 ms.
    pub fn command(&mut self, operation: u16, argument: u16) {
        self.out16(0xE, operation << 11 | argument);
        for _ in 0..5_000 {
            if self.status() & 0x1000 == 0 {
                return;
            }
        }
        panic!("command {operation:02X} does not end");
    }
    pub fn status(&mut self) -> u16 {
        self.in16(0xE)
    }
    pub fn window(&mut self, window: u16) {
        self.command(1, window);
    }
    /// Lets time pass.
    pub fn sleep(&mut self, us: u64) {
        for _ in 0..us {
            self.world.now += 1_000;
            self.card.poll(&mut self.world);
        }
    }
    /// A frame arrives, with its time on the wire.
    pub fn arrive(&mut self, frame: &[u8]) -> bool {
        let taken = self.card.receive(&mut self.world, frame);
        self.sleep(1_300);
        taken
    }
    /// The only complaint.
    pub fn complaint(&mut self) -> String {
        assert_eq!(self.world.complaints.len(), 1, "{:?}", self.world.complaints);
        self.world.complaints.remove(0)
    }
    pub fn put32(&mut self, at: u32, value: u32) {
        self.world.memory[at as usize..][..4].copy_from_slice(&value.to_le_bytes());
    }
    pub fn get32(&self, at: u32) -> u32 {
        u32::from_le_bytes(self.world.memory[at as usize..][..4].try_into().unwrap())
    }
}

impl<M: Model> Drop for Rig<M> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.world.complaints.is_empty(), "{:?}", self.world.complaints);
        }
    }
}

/// The address that the tests give their cards.
pub const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

/// A frame of `len` bytes to `to`, in which the bytes differ.
pub fn frame(to: [u8; 6], len: usize) -> Vec<u8> {
    let mut data: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
    data[..6].copy_from_slice(&to);
    data
}

impl Rig<Corkscrew> {
    /// Activates the card as PnP software does: at 300h, line 10, with this channel.
    pub fn activate(&mut self, channel: u8) {
        let mut hear = |port, value| self.card.hear(&mut self.world, port, value);
        let mut byte = 0x6Au8;
        for _ in 0..32 {
            hear(0x279, byte);
            byte = byte >> 1 | ((byte ^ byte >> 1) & 1) << 7;
        }
        for (register, value) in [(3, 0), (6, 1), (0x60, 3), (0x61, 0), (0x70, 10), (0x74, channel), (0x30, 1)] {
            hear(0x279, register);
            hear(0xA79, value);
        }
    }
}
