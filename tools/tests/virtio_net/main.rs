//! The virtio driver and probe with a model of the legacy device; the test does what the core does.

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, Events, Head, Link, MacAddr, RcvMode, Rx, SendError};
use compkt::drivers::virtio_net::VirtioNet;
use compkt::probe::virtio_net::VirtioNetProbe;
use compkt::probe::{Ask, Found, Probe, Rings};
use models::virtio_net as model;
use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};
use tools::random::Random;

const MAC: MacAddr = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const PEER: MacAddr = [0x52, 0x55, 0, 0, 0, 0x99];
const SLOT: u16 = 3 << 3;
const BASE: u16 = 0xC100;
const IRQ: u8 = 11;
const CLIENT: usize = 0x2_0000;
const RINGS: u32 = 0x10_0000;

struct Rig {
    bus: FakeBus,
    card: Rc<RefCell<model::VirtioNet>>,
    device: VirtioNet<FakeBus>,
}

fn rig() -> Rig {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(model::VirtioNet::new(MAC)));
    bus.plug(card.clone(), &[Place::Ports(BASE, 0x20)], IRQ);
    let mut config = [0; 256];
    config[0..4].copy_from_slice(&0x1000_1AF4u32.to_le_bytes());
    config[0x10..0x14].copy_from_slice(&(BASE as u32 | 1).to_le_bytes());
    config[0x3C] = IRQ;
    let mut writable = [0; 256];
    writable[4] = 7;
    writable[5] = 4;
    bus.add_pci(PciFunction { place: SLOT, config, writable });
    let ask = Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media: 0, waits: false };
    let found = VirtioNetProbe::find(&bus, &ask).expect("the card is there");
    assert_eq!((found.mac, found.irq, found.io), (MAC, IRQ, BASE));
    let Found { rings_xms, .. } = found;
    let rings = Rings { linear: Addr(RINGS), physical: RINGS, len: rings_xms };
    let mut device = VirtioNetProbe::start(bus.clone(), &found, &rings).expect("it starts");
    device.unmask();
    Rig { bus, card, device }
}

fn frame(len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed as u64);
    let head = MAC.into_iter().chain(PEER).chain([8, 0]).chain(seed.to_le_bytes());
    head.chain(std::iter::repeat_with(|| random.word() as u8)).take(len).collect()
}

impl Rig {
    /// Takes a frame. Calls `upcall` where the core calls a receiver, which may enable interrupts.
    fn take(&mut self, mut upcall: impl FnMut(&mut Rig)) -> Option<Vec<u8>> {
        let mut head: Head = [0; 24];
        let rx = self.device.peek(&mut head)?;
        assert_ne!(rx, Rx::USELESS);
        let len = rx.len() as usize;
        upcall(self);
        self.device.copy(&job(CLIENT, len, &head));
        let bytes = self.bus.memory()[CLIENT..CLIENT + len].to_vec();
        upcall(self);
        self.device.discard(rx);
        Some(bytes)
    }

    /// As the core after an interrupt's causes are acknowledged: takes frames until there is none.
    fn catch_up(&mut self, mut pending: u8, nested: bool) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let mut more = 0;
        while let Some(frame) = self.take(|rig| {
            if nested && rig.bus.take(IRQ) {
                more |= rig.device.irq().0;
            }
        }) {
            frames.push(frame);
            assert!(frames.len() < 10_000, "no end of frames");
        }
        pending |= more;
        if pending != Events::OPEN.0 {
            self.device.unmask();
        }
        frames
    }

    /// Serves interrupts until none is requested.
    fn serve(&mut self, nested: bool) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..1_000 {
            if !self.bus.take(IRQ) {
                return frames;
            }
            let events = self.device.irq();
            assert_ne!(events, Events::NONE);
            frames.extend(self.catch_up(events.0, nested));
        }
        panic!("interrupts without an end");
    }
}

#[test]
fn frames_of_every_length_come_and_go() {
    let mut rig = rig();
    for len in 60..=1514 {
        let came = frame(len, len as u32);
        assert!(rig.bus.receive(0, &came));
        assert_eq!(rig.serve(false), [came], "{len}");
        let out = frame(len, !(len as u32));
        rig.bus.memory_mut()[CLIENT..CLIENT + len].copy_from_slice(&out);
        assert_eq!(rig.device.send(&job(CLIENT, len, &[0; 24])), Ok::<(), SendError>(()));
        assert_eq!(rig.bus.sent(0), [out], "{len}");
    }
    assert!(!rig.bus.requested(IRQ), "what was sent does not interrupt");
}

/// More frames than buffers, with a ring that is never empty: one interrupt serves them all.
#[test]
fn interrupts_stay_off_until_the_ring_has_proved_empty() {
    let mut rig = rig();
    let frames: Vec<_> = (0..110).map(|seed| frame(60 + seed as usize, seed)).collect();
    let mut next = frames.iter();
    assert!(rig.bus.receive(0, next.next().unwrap()));
    assert!(rig.bus.receive(0, next.next().unwrap()));
    assert!(rig.bus.take(IRQ));
    assert_ne!(rig.device.irq(), Events::NONE);
    let mut came = Vec::new();
    while let Some(frame) = rig.take(|_| {}) {
        came.push(frame);
        if let Some(frame) = next.next() {
            assert!(rig.bus.receive(0, frame));
        }
        assert!(!rig.bus.requested(IRQ), "behind {} frames", came.len());
    }
    assert_eq!(came, frames);
    let last = frame(60, 999);
    assert!(rig.bus.receive(0, &last));
    assert_eq!(rig.serve(false), [last]);
}

/// A frame after each access of an interrupt's service, and of a client's calls.
#[test]
fn a_frame_that_comes_at_any_moment_is_taken_or_announced() {
    for nested in [false, true] {
        let mut accesses = 0;
        loop {
            accesses += 1;
            let mut rig = rig();
            let frames = [frame(60, 1), frame(99, 2)];
            let late = frames[1].clone();
            assert!(rig.bus.receive(0, &frames[0]));
            rig.bus.after(accesses, move |bus| assert!(bus.receive(0, &late)));
            let mut came = rig.serve(nested);
            if rig.bus.awaits() {
                break;
            }
            // Whatever was called, no frame waits until another one is announced.
            came.extend(rig.serve(nested));
            assert_eq!(came, frames, "behind access {accesses}, nested {nested}");
        }
        assert!(accesses > 10);
    }
}

/// Many frames at random times, with receivers that enable interrupts: more than the ring has buffers, and the ring is never
/// empty.
#[test]
fn frames_at_random_moments_are_all_taken() {
    for seed in 1..=60 {
        let mut random = Random::new(seed);
        let mut rig = rig();
        let sent = Rc::new(RefCell::new(Vec::new()));
        let mut came = Vec::new();
        for round in 0..40u32 {
            let many = if random.one_in(8) { 40 } else { random.below(6) };
            for number in 0..many {
                let late = frame(60 + random.below(1400), round << 8 | number as u32);
                let sent = sent.clone();
                rig.bus.after(1 + random.below(300) as u32, move |bus| {
                    if bus.receive(0, &late) {
                        sent.borrow_mut().push(late);
                    }
                });
            }
            let now = frame(60, round << 8 | 0xFF);
            if rig.bus.receive(0, &now) {
                sent.borrow_mut().push(now);
            }
            came.extend(rig.serve(random.one_in(2)));
            match random.below(4) {
                0 => rig.device.set_rcv_mode(RcvMode::Broadcast, &[]),
                1 => assert_eq!(rig.device.link(), Link::Up),
                // The interrupt of another card on the same line.
                2 => {
                    let events = rig.device.irq();
                    if events != Events::NONE {
                        came.extend(rig.catch_up(events.0, false));
                    }
                }
                _ => {}
            }
        }
        while rig.bus.awaits() {
            rig.device.link();
        }
        came.extend(rig.serve(true));
        assert_eq!(came.len(), sent.borrow().len(), "seed {seed}");
        assert_eq!(came, *sent.borrow(), "seed {seed}");
        assert_eq!(came.len(), rig.card.borrow().received() as usize);
    }
}

#[test]
fn nothing_comes_after_a_stop() {
    let mut rig = rig();
    assert!(rig.bus.receive(0, &frame(60, 1)));
    rig.device.stop();
    assert!(!rig.bus.line(IRQ));
    assert!(!rig.bus.receive(0, &frame(60, 2)));
}
