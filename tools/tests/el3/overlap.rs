//! The thresholds: the bus works while the wire does.

use crate::rig::*;
use compkt::bus::Bus;
use models::elink::Times;

const TX_START: u16 = 0x13 << 11;
const OFF: u16 = 0x7FC;

fn command(rig: &Rig, command: u16) {
    rig.bus.out16(rig.found.io + 0xE, command);
}

/// A threshold as window 5 shows it.
fn threshold(rig: &Rig, offset: u16) -> u16 {
    command(rig, 1 << 11 | 5);
    let value = rig.bus.in16(rig.found.io + offset);
    command(rig, 1 << 11 | 1);
    value
}

/// A card on a wire that takes so many nanoseconds a byte.
fn on_a_wire(byte: u64) -> Rig {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { times: Times { byte, ..Times::TEN }, ..Options::new(MAC) });
    start(bus, slot, card, &ask(0))
}

/// Microseconds from the beginning of a call of send to the end of the frame on the wire.
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
    // The fake bus takes 250 ns a byte.
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
    // It fills the FIFO behind the frame that ran dry, and waits.
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
