//! The model panics at what no card would accept.

use compkt::bus::Bus;

use crate::rig::*;

fn started() -> FakeBus {
    rig(Options::ne2000(MAC)).bus
}

#[test]
#[should_panic(expected = "while running")]
fn a_ring_moved_while_running() {
    started().out8(IO + 1, 0x50);
}

#[test]
#[should_panic(expected = "without remote DMA")]
fn data_without_remote_dma() {
    started().in16(IO + 0x10);
}

#[test]
#[should_panic(expected = "no RAM")]
fn remote_dma_outside_the_ram() {
    let bus = started();
    for (register, value) in [(8, 0), (9, 0x90), (0xA, 2), (0xB, 0), (0, 0x0A)] {
        bus.out8(IO + register, value);
    }
    bus.in16(IO + 0x10);
}

#[test]
#[should_panic(expected = "transmission while one is under way")]
fn two_transmissions_at_once() {
    let mut rig = rig(Options::ne2000(MAC));
    rig.try_send(&frame(PEER, 1514, 1)).expect("it begins");
    rig.bus.out8(IO, 0x26);
}

#[test]
#[should_panic(expected = "without a stop")]
fn an_overflow_that_is_only_acknowledged() {
    let mut rig = rig(Options::ne2000(MAC));
    overrun(&mut rig);
    rig.bus.out8(IO + 7, 0x10);
}

#[test]
#[should_panic(expected = "1.6 ms")]
fn an_overflow_with_too_short_a_stop() {
    let mut rig = rig(Options::ne2000(MAC));
    overrun(&mut rig);
    rig.bus.out8(IO, 0x21);
    rig.bus.out8(IO + 0xD, 2);
    rig.bus.out8(IO, 0x22);
}

#[test]
#[should_panic(expected = "page 3")]
fn a_page_that_does_not_exist() {
    started().out8(IO, 0xE2);
}
