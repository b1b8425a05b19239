//! The 3C509B's driver and probe against its model.

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::Addr;
use compkt::device::{Device, Events, Head, LOOKAHEAD, Link};
use compkt::drivers::el3::El3;
use compkt::probe::el3::El3Probe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::el3;
use tools::fake_bus::FakeBus;

const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };

fn ask(index: u8) -> Ask {
    Ask { index, irq: 0, io: 0, pci: 0, taken: [0; 4] }
}

struct Rig {
    bus: FakeBus,
    slot: usize,
    card: Rc<RefCell<el3::El3>>,
    found: Found,
    device: El3<FakeBus>,
}

fn rig() -> Rig {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(el3::El3::new(el3::Options { io: 0x300, irq: 10, ..el3::Options::new(MAC) })));
    let slot = bus.plug_isa(card.clone());
    let found = El3Probe::find(&bus, &ask(0)).expect("the card is there");
    let mut device = El3Probe::start(bus.clone(), &found, &NO_RINGS).expect("it starts");
    device.unmask();
    Rig { bus, slot, card, found, device }
}

/// What the core does: interrupt, every frame, unmask.
fn take(rig: &mut Rig) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    if rig.device.irq() == Events::NONE {
        return frames;
    }
    let mut head: Head = [0; LOOKAHEAD];
    while let Some(rx) = rig.device.peek(&mut head) {
        const ROOM: u32 = 0x2000;
        rig.bus.memory_mut()[ROOM as usize - 1..ROOM as usize + 1600].fill(0xA5);
        rig.device.copy(&rx, &head, Addr(ROOM), rx.len);
        let memory = rig.bus.memory();
        assert_eq!((memory[ROOM as usize - 1], memory[ROOM as usize + rx.len as usize]), (0xA5, 0xA5));
        frames.push(memory[ROOM as usize..][..rx.len as usize].to_vec());
        drop(memory);
        rig.device.discard(rx);
    }
    rig.device.unmask();
    frames
}

fn frame(len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
    frame[..6].copy_from_slice(&MAC);
    frame
}

#[test]
fn it_is_found_with_its_settings() {
    let rig = rig();
    assert_eq!((rig.found.mac, rig.found.io, rig.found.irq), (MAC, 0x300, 10));
    assert!(!rig.bus.line(10), "quiet once it stands");
    assert_eq!(El3Probe::find(&rig.bus, &ask(1)), Err(Fault::End));
}

#[test]
fn frames_of_every_length_arrive() {
    let mut rig = rig();
    for len in 60..=1514 {
        let sent = frame(len);
        assert!(rig.bus.receive(rig.slot, &sent));
        rig.bus.sleep(2_000);
        assert!(rig.bus.take(10), "{len} bytes interrupt");
        assert_eq!(take(&mut rig), [sent]);
        assert!(!rig.bus.line(10));
    }
}

#[test]
fn frames_of_every_length_leave() {
    let mut rig = rig();
    for len in 14..=1514 {
        let whole = frame(len);
        rig.bus.memory_mut()[0x2000..0x2000 + len].copy_from_slice(&whole);
        rig.bus.memory_mut()[0x2000 + len..0x2000 + len + 64].fill(0xEE);
        assert_eq!(rig.device.send(Addr(0x2000), len as u16), Ok(()));
        rig.bus.sleep(2_000);
        let mut expected = whole;
        expected.resize(len.max(60), 0);
        assert_eq!(rig.bus.sent(rig.slot), [expected], "{len} bytes");
    }
    assert!(!rig.bus.line(10));
}

#[test]
fn the_link_is_seen() {
    let mut rig = rig();
    assert_eq!(rig.device.link(), Link::Up);
    rig.bus.with_env(rig.slot, |env| models::Model::set_link(&mut *rig.card.borrow_mut(), env, false));
    assert_eq!(rig.device.link(), Link::Down);
}
