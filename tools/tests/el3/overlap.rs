//! The thresholds: the bus transfers a frame while it is on the wire.

use crate::rig::*;
use compkt::bus::Bus;
use models::Model;
use models::elink::Times;

const TX_START: u16 = 0x13 << 11;
const RX_EARLY: u16 = 0x11 << 11;
const OFF: u16 = 0x7FC;
/// Microseconds from the card's interrupt to the driver.
const LATENCY: u64 = 15;

fn command(rig: &Rig, command: u16) {
    rig.bus.out16(rig.found.io + 0xE, command);
}

/// A threshold, from window 5.
fn threshold(rig: &Rig, offset: u16) -> u16 {
    command(rig, 1 << 11 | 5);
    let value = rig.bus.in16(rig.found.io + offset);
    command(rig, 1 << 11 | 1);
    value
}

/// A card on a wire with so many nanoseconds for a byte.
fn on_a_wire(byte: u64) -> Rig {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { times: Times { byte, ..Times::TEN }, ..Options::new(MAC) });
    start(bus, slot, card, &ask(0))
}

/// Microseconds from the call of send to the frame's end on the wire.
fn until_sent(rig: &mut Rig, len: usize) -> u64 {
    let from = rig.bus.now_ns();
    assert_eq!(rig.send(&frame(len)), Ok(()));
    let sent = loop {
        let sent = rig.bus.sent(rig.slot);
        if !sent.is_empty() {
            break sent;
        }
        rig.bus.sleep(1);
        assert!(rig.bus.now_ns() - from < 5_000_000, "{len} bytes do not leave");
    };
    assert_eq!(sent, [frame(len)]);
    (rig.bus.now_ns() - from) / 1_000
}

/// Microseconds from a frame's first bit until the core can offer it.
fn until_offered(rig: &mut Rig, len: usize) -> u64 {
    let from = rig.bus.now_ns();
    assert!(rig.bus.receive(rig.slot, &frame(len)));
    while !rig.bus.take(rig.found.irq) {
        rig.bus.sleep(1);
        assert!(rig.bus.now_ns() - from < 5_000_000, "{len} bytes do not interrupt");
    }
    rig.bus.sleep(LATENCY);
    assert_eq!(rig.device.irq(), Events::RX);
    let mut head: Head = [0; LOOKAHEAD];
    let rx = rig.device.peek(&mut head).expect("the whole frame");
    assert_eq!((rx.len() as usize, &head[..]), (len, &frame(len)[..LOOKAHEAD]));
    let took = rig.bus.now_ns() - from;
    rig.device.discard(rx);
    rig.device.unmask();
    assert!(!rig.bus.line(rig.found.irq), "one interrupt is enough");
    took / 1_000
}

#[test]
fn a_long_frame_leaves_while_it_is_written() {
    let (mut early, mut whole) = (rig(), rig());
    command(&whole, TX_START | OFF);
    for (len, gain) in [(60, 0), (508, 0), (600, 20), (1514, 250)] {
        let (early, whole) = (until_sent(&mut early, len), until_sent(&mut whole, len));
        assert!(early + gain <= whole && whole < early + gain + 5, "{len} bytes: {early} us, and {whole} by whole frames");
    }
}

#[test]
fn a_bus_slower_than_the_wire_loses_one_frame_and_no_more() {
    // The fake bus needs 250 ns for a byte.
    let mut rig = on_a_wire(100);
    assert_eq!(threshold(&rig, 0), 512);
    let mut left = Vec::new();
    for len in [500, 1514, 1513, 700, 60] {
        assert_eq!(rig.send(&frame(len)), Ok(()));
        rig.bus.sleep(500);
        rig.serve();
        left.extend(rig.bus.sent(rig.slot));
    }
    assert_eq!(left, [500, 1513, 700, 60].map(frame));
    assert_eq!(rig.counts(), [0, 1, 0]);
    assert_eq!(threshold(&rig, 0), OFF, "whole frames from now on");
    rig.works();
}

#[test]
fn an_underrun_ends_too_where_interrupts_are_off() {
    let mut rig = on_a_wire(100);
    assert_eq!(rig.send(&frame(1514)), Ok(()));
    // The frame behind the one with the underrun fills the FIFO, and waits.
    let mut tries = 0;
    while rig.send(&frame(1514)) != Err(SendError::Busy) {
        tries += 1;
        assert!(tries < 3);
    }
    assert_eq!(rig.send(&frame(1000)), Ok(()), "there is room again");
    rig.bus.sleep(500);
    assert_eq!(rig.bus.sent(rig.slot), [frame(1000)]);
    assert_eq!(rig.counts(), [0, 1, 0]);
    rig.serve();
    rig.works();
}

#[test]
fn the_end_of_a_long_frame_is_waited_for() {
    let (mut early, mut late) = (rig(), rig());
    assert_eq!(threshold(&early, 6), 1448);
    command(&late, RX_EARLY | OFF);
    for (len, gain) in [(60, 0), (1444, 0), (1460, 12), (1514, 19)] {
        let (early, late) = (until_offered(&mut early, len), until_offered(&mut late, len));
        assert!(early + gain <= late && late < early + gain + 3, "{len} bytes: {early} us, and {late} without");
    }
}

#[test]
fn long_frames_one_behind_the_other() {
    let mut rig = rig();
    let lens = [1514, 1514, 1500, 60, 1449, 1514, 1448, 1514];
    let (mut next, mut came, mut interrupts) = (lens.into_iter(), Vec::new(), 0);
    for _ in 0..20_000 {
        let free = rig.card.borrow().wire_free(rig.bus.now_ns());
        if free && let Some(len) = next.next() {
            assert!(rig.bus.receive(rig.slot, &frame(len)));
        }
        rig.bus.sleep(1);
        interrupts += rig.bus.requested(rig.found.irq) as u32;
        came.extend(rig.serve());
    }
    assert_eq!(came, lens.map(frame));
    assert!(interrupts <= lens.len() as u32, "{interrupts} interrupts");
    assert_eq!(rig.counts(), [0; 3]);
}

#[test]
fn an_end_that_does_not_come_is_not_waited_for_long() {
    // 7 ms between the interrupt and the frame's end.
    let mut rig = on_a_wire(100_000);
    assert!(rig.bus.receive(rig.slot, &frame(1514)));
    while !rig.bus.requested(rig.found.irq) {
        rig.bus.sleep(100);
    }
    let from = rig.bus.now_ns();
    assert!(rig.serve().is_empty());
    assert!(rig.bus.now_ns() - from < 1_000_000);
    rig.bus.sleep(10_000);
    assert_eq!(rig.serve(), [frame(1514)], "it interrupts once more");
    assert_eq!(rig.counts(), [0; 3]);
}

#[test]
fn long_frames_that_end_badly_are_counted() {
    for (fault, counts) in [("rx-crc@2", [1, 0, 0]), ("rx-overrun@2", [0, 0, 1])] {
        let mut rig = rig();
        rig.fault(fault);
        let mut came = Vec::new();
        for len in [1514, 1513, 1512] {
            assert!(rig.bus.receive(rig.slot, &frame(len)));
            for _ in 0..2_000 {
                rig.bus.sleep(1);
                came.extend(rig.serve());
            }
        }
        assert_eq!(came, [frame(1514), frame(1512)], "{fault}");
        assert_eq!(rig.counts(), counts, "{fault}");
    }
}
