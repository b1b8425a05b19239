//! The PCnet's driver with a transmitter that takes time, unlike QEMU's.
//!
//! The model has only what these tests need: the status register, and a transmitter that begins with TDMD. Its numbers are the
//! data sheet's (Am79C970A, 16907).

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, LOOKAHEAD, RcvMode};
use compkt::drivers::pcnet::{Pcnet, bytes};
use models::{Env, Model};
use tools::fake_bus::{FakeBus, Place, job};

const IO: u16 = 0xC000;
/// Addresses of the driver's memory and of a client's frame.
const MEMORY: u32 = 0x10_0000;
const FRAME: usize = 0x2_0000;
/// Time of a frame on the wire: 1,514 bytes at 10 Mb/s.
const SENDING_NS: u64 = 1_230_000;

#[derive(Default)]
struct Lance {
    register: u16,
    status: u16,
    block: u32,
    /// The next transmit descriptor.
    next: u32,
    /// The frame on the wire: its descriptor, and its end.
    under_way: Option<(u32, u64)>,
    /// Frames that a stop has cut off.
    cut: u32,
}

impl Lance {
    fn word(env: &mut dyn Env, at: u32) -> u32 {
        let mut bytes = [0; 4];
        env.dma_read(at, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn descriptors(&self, env: &mut dyn Env) -> (u32, u32) {
        let lengths = Self::word(env, self.block) >> 28;
        (Self::word(env, self.block + 24), 16 << lengths)
    }

    fn begin(&mut self, env: &mut dyn Env) {
        if self.under_way.is_none() && self.status & 2 != 0 {
            let (first, size) = self.descriptors(env);
            let at = first + self.next % size;
            if Self::word(env, at + 4) >> 31 != 0 {
                self.under_way = Some((at, env.now_ns() + SENDING_NS));
                self.next += 16;
            }
        }
    }

    fn control(&mut self, env: &mut dyn Env, value: u16) {
        if value & 4 != 0 {
            self.cut += self.under_way.take().is_some() as u32;
            self.status = 4;
        } else if value & 1 != 0 {
            self.next = 0;
            self.status = 0x101;
        } else {
            self.status = (self.status & !(value & 0x7F00) | value & 2) & !4;
            if value & 8 != 0 {
                self.begin(env);
            }
        }
    }
}

impl Model for Lance {
    fn read(&mut self, _: &mut dyn Env, offset: u16, _: u8) -> u32 {
        match (offset, self.register) {
            (0x10, 0) => self.status as u32,
            _ => 0,
        }
    }

    fn write(&mut self, env: &mut dyn Env, offset: u16, _: u8, value: u32) {
        match (offset, self.register) {
            (0x12, _) => self.register = value as u16,
            (0x10, 0) => self.control(env, value as u16),
            _ => {}
        }
    }

    fn receive(&mut self, _: &mut dyn Env, _: &[u8]) -> bool {
        false
    }

    fn poll(&mut self, env: &mut dyn Env) {
        if let Some((at, _)) = self.under_way.filter(|(_, end)| *end <= env.now_ns()) {
            let state = Self::word(env, at + 4);
            let len = (!(state as u16)).wrapping_add(1);
            let mut frame = vec![0; len as usize];
            let buffer = Self::word(env, at);
            env.dma_read(buffer, &mut frame);
            env.transmit(&frame);
            env.dma_write(at + 4, &(state & 0x7FFF_FFFF).to_le_bytes());
            self.under_way = None;
            self.begin(env);
        }
    }

    fn set_link(&mut self, _: &mut dyn Env, _: bool) {}

    fn hard_reset(&mut self, _: &mut dyn Env) {
        *self = Lance::default();
    }
}

/// A running card, with its memory as the probe leaves it.
fn running<const DEEP: bool>(bus: &FakeBus) -> (Pcnet<FakeBus, DEEP>, Rc<RefCell<Lance>>) {
    let lance = Rc::new(RefCell::new(Lance { block: MEMORY, ..Lance::default() }));
    bus.plug(lance.clone(), &[Place::Ports(IO, 32)], 10);
    let (receive, transmit) = compkt::drivers::pcnet::logs(DEEP);
    let ring = MEMORY + 32;
    let sends = ring + (16 << receive);
    let put = |at: u32, value: u32| bus.memory_mut()[at as usize..][..4].copy_from_slice(&value.to_le_bytes());
    put(MEMORY, (receive as u32) << 20 | (transmit as u32) << 28);
    put(MEMORY + 20, ring);
    put(MEMORY + 24, sends);
    let buffers = MEMORY + bytes(DEEP) - (1536 << transmit);
    for index in 0..1 << transmit {
        put(sends + 16 * index, buffers + 1536 * index);
    }
    let mut card = Pcnet::new(bus.clone(), IO, Addr(MEMORY));
    assert!(card.restart(), "the card reads its block");
    (card, lance)
}

/// Gives two frames to the card and changes its filter at once.
fn change<const DEEP: bool>(change: impl FnOnce(&mut Pcnet<FakeBus, DEEP>)) {
    let bus = FakeBus::new();
    let (mut card, lance) = running::<DEEP>(&bus);
    let frames: Vec<Vec<u8>> = (1..3).map(|number| vec![number; 1514]).collect();
    for frame in &frames {
        bus.memory_mut()[FRAME..][..frame.len()].copy_from_slice(frame);
        while card.send(&job(FRAME, frame.len(), &[0; LOOKAHEAD])).is_err() {}
    }
    change(&mut card);
    assert_eq!(lance.borrow().cut, 0, "no frame is cut off");
    bus.sleep(3 * SENDING_NS / 1_000);
    let sent = bus.sent(0);
    assert!(sent == frames, "both frames are on the wire, whole: {} of them", sent.len());
}

#[test]
fn a_change_of_mode_leaves_the_frames_that_are_being_sent() {
    change::<true>(|card| card.set_rcv_mode(RcvMode::Promiscuous, &[]));
    change::<false>(|card| card.set_rcv_mode(RcvMode::Promiscuous, &[]));
}

#[test]
fn a_change_of_address_leaves_the_frames_that_are_being_sent() {
    change::<true>(|card| {
        card.set_address(&[2, 0, 0, 0, 0, 1]);
        card.set_rcv_mode(RcvMode::Broadcast, &[]);
    });
}
