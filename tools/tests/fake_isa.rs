//! The fake bus with ISA cards that share ports: two 3C509B are found, activated, and interrupt on their lines.

use compkt::bus::Bus;
use models::el3::{El3, Options};
use std::cell::RefCell;
use std::rc::Rc;
use tools::fake_bus::FakeBus;

const ID: u16 = 0x110;

fn id_sequence(bus: &FakeBus) {
    bus.out8(ID, 0);
    bus.out8(ID, 0);
    let mut byte = 0xFFu16;
    for _ in 0..255 {
        bus.out8(ID, byte as u8);
        byte = byte << 1 ^ if byte & 0x80 != 0 { 0x1CF } else { 0 };
    }
}

fn id_word(bus: &FakeBus, at: u8) -> u16 {
    bus.out8(ID, 0x80 | at);
    bus.sleep(200);
    (0..16).fold(0, |word, _| word << 1 | (bus.in8(ID) & 1) as u16)
}

#[test]
fn cards_contend_activate_and_interrupt() {
    let bus = FakeBus::new();
    let card = |last, io, irq| Rc::new(RefCell::new(El3::new(Options { io, irq, ..Options::new([0x52, 0x54, 0, 0x12, 0x34, last]) })));
    let first = bus.plug_isa(card(9, 0x300, 10));
    bus.plug_isa(card(4, 0x320, 5));
    for (tag, expected) in [(0xD0, 0x3404), (0xD8, 0x3409)] {
        id_sequence(&bus);
        bus.out8(ID, tag);
        assert_eq!([0, 1, 2].map(|at| id_word(&bus, at)), [0x5254, 0x0012, expected]);
        bus.out8(ID, 0xD1);
        bus.out8(ID, 0xFF);
    }
    for io in [0x300, 0x320] {
        assert_eq!(bus.in16(io), 0x6D50);
        bus.out16(io + 4, 1);
        bus.out16(io + 0xE, 1 << 11 | 1);
        bus.out16(io + 0xE, 0x0F << 11 | 0xFF);
        bus.out16(io + 0xE, 0x0E << 11 | 0xFF);
    }
    assert_eq!((bus.requested(10), bus.requested(5)), (false, false));
    bus.out16(0x30E, 0x0C << 11);
    assert_eq!((bus.take(10), bus.requested(5)), (true, false));
    // An acknowledge of the latch alone leaves the cause, which makes a new edge.
    bus.out16(0x30E, 0x0D << 11 | 1);
    assert!(bus.take(10));
    bus.out16(0x30E, 0x0D << 11 | 0x41);
    assert!(!bus.line(10));
    bus.with_env(first, |env| assert!(env.now_ns() > 0));
    assert_eq!(bus.in8(0x340), 0xFF);
}
