//! The 3C515 as a bus master: when it is one, where its rings may be, and cards whose trial fails.

use crate::*;
use compkt::bus::Bus;

/// Bytes around both lists that must stay unchanged.
const AROUND: usize = 64;

fn lists_card(faults: &str) -> (FakeBus, usize, Card) {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { lists: true, faults: Faults::parse(faults).unwrap(), ..Options::new(MAC) });
    (bus, slot, card)
}

/// Gives the card resources as PnP software does.
fn given(bus: &FakeBus, io: u16, irq: u8, dma: u8) {
    let mut byte = 0x6Au8;
    let put = |register: u8, value: u8| {
        bus.out8(0x279, register);
        bus.out8(0xA79, value);
    };
    for _ in 0..32 {
        bus.out8(0x279, byte);
        byte = byte >> 1 | ((byte ^ byte >> 1) & 1) << 7;
    }
    for (register, value) in [(2, 4), (3, 0), (6, 1), (0x60, (io >> 8) as u8), (0x61, io as u8), (0x70, irq), (0x74, dma), (0x30, 1), (2, 2)] {
        put(register, value);
    }
}

#[test]
fn a_card_whose_eeprom_does_not_offer_it_has_no_rings_and_no_dma() {
    let bus = FakeBus::new();
    plug(&bus, Options::new(MAC));
    let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
    assert_eq!((found.rings_xms, found.rings_low, bus.in16(0x2300) & 7), (0, 0, 4));
}

#[test]
fn one_that_offers_it_has_the_bus_by_a_free_channel() {
    let (bus, slot, card) = lists_card("");
    let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
    assert!(found.plain && found.rings_xms > 64 * 1514 && found.rings_low > 4 * 1514);
    assert_eq!((bus.in16(0x2300) & 7, bus.cascades()), (7, 0x10));
    let mut rig = start_in(&bus, slot, card, &ask(0), Way::Deep);
    assert_eq!(bus.cascades(), 0x90);
    rig.works_at(60..64);
}

#[test]
fn the_channel_that_a_bios_gave_it_is_kept() {
    for (given_it, has) in [(3, 3), (5, 5), (6, 6), (4, 7), (1, 7)] {
        let (bus, slot, card) = lists_card("");
        given(&bus, 0x240, 11, given_it);
        let mut rig = start_in(&bus, slot, card, &ask(0), Way::Deep);
        assert_eq!((rig.found.io, rig.found.irq, bus.in16(0x2240) & 7), (0x240, 11, has));
        assert_eq!(bus.cascades(), 0x10 | 1 << has);
        rig.works_at(60..64);
    }
}

#[test]
fn two_of_them_have_a_channel_each() {
    let (bus, slot, card) = lists_card("");
    let (_, other) = plug(&bus, Options { lists: true, ..Options::new(OTHER) });
    let mut first = start_in(&bus, slot, card, &ask(0), Way::Deep);
    bus.set_masks(!(1 << 10), false);
    let second = Ask { taken: taken(&[first.found.io]), ..ask(0) };
    let found = CorkscrewProbe::find(&bus, &second).unwrap();
    assert_eq!([first.found.io, found.io].map(|io| bus.in16(io + 0x2000) & 7), [7, 6]);
    let rings = Rings { linear: Addr(0x18_0000), physical: 0x18_0000, len: found.rings_low as u32 };
    let mut device: Box<dyn Driver> = Box::new(CorkscrewListsProbe::start(bus.clone(), &found, &rings).unwrap());
    device.unmask();
    let mut second = Rig { bus: bus.clone(), slot: 1 - slot, card: other, found, device };
    if first.found.mac == OTHER {
        std::mem::swap(&mut first.slot, &mut second.slot);
    }
    first.works_at(60..64);
    second.works_at(60..64);
}

#[test]
fn rings_beyond_the_reach_of_the_bus_are_refused_before_the_card_is_touched() {
    let (bus, slot, card) = lists_card("");
    let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
    bus.writes();
    for physical in [0x100_0000 - found.rings_xms + 1, 0x100_0000, 0xFFF0_0000] {
        let rings = Rings { linear: Addr(RINGS), physical, len: found.rings_xms };
        assert_eq!(CorkscrewListsProbe::start(bus.clone(), &found, &rings).err(), Some(Fault::Memory));
    }
    assert_eq!(bus.writes(), [0u16; 0]);
    start(&bus, slot, card, &ask(0)).works_at(60..64);
}

#[test]
fn it_is_tried_at_the_speed_of_the_medium_in_bounded_time() {
    for (way, byte, media, most_ms) in [(Way::Deep, 80, 5, 300), (Way::Shallow, 80, 5, 300), (Way::Deep, 800, 1, 400), (Way::Shallow, 800, 1, 400)] {
        let bus = FakeBus::new();
        let times = models::elink::Times { byte, ..models::elink::Times::TEN };
        let (slot, card) = plug(&bus, Options { lists: true, times, ..Options::new(MAC) });
        let found = CorkscrewProbe::find(&bus, &Ask { media, ..ask(0) }).unwrap();
        let from = bus.now_ns();
        let mut device = start_as(&bus, &found, way).unwrap();
        let took = (bus.now_ns() - from) / 1_000_000;
        assert!(took < most_ms, "{way:?} at {byte}: {took} ms");
        device.unmask();
        Rig { bus, slot, card, found, device }.works_at(60..64);
    }
}

#[test]
fn one_that_harms_data_or_never_ends_runs_by_programmed_io() {
    let faults = [
        "dma-corrupt", "dma-corrupt@2", "dma-corrupt@127", "dma-corrupt*0", "dma-stray", "dma-stray@64", "dma-hang", "dma-hang@2", "dma-hang@9",
        "dma-hang*4", "rx-overrun@3", "rx-crc@60", "tx-underrun@5", "jabber", "max-collisions@64",
    ];
    for (fault, way) in faults.into_iter().flat_map(|fault| [(fault, Way::Deep), (fault, Way::Shallow)]) {
        let (bus, slot, card) = lists_card(fault);
        let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
        let len = if way == Way::Deep { found.rings_xms } else { found.rings_low as u32 } as usize;
        let from = bus.now_ns();
        assert_eq!(start_as(&bus, &found, way).err(), Some(Fault::Master), "{fault} {way:?}");
        assert!(bus.now_ns() - from < 400_000_000, "{fault} {way:?}: {} ns", bus.now_ns() - from);
        assert_eq!(bus.cascades(), 0x10, "{fault}: the channel is masked again");
        assert_eq!(bus.sent(slot), Vec::<Vec<u8>>::new(), "{fault}: nothing was on the wire");
        let [below, above] = [RINGS as usize - AROUND, RINGS as usize + len].map(|at| bus.memory()[at..at + AROUND].to_vec());
        assert!(below == [0xDD; AROUND] && above == [0xDD; AROUND]);
        let rings = bus.memory()[RINGS as usize..][..len].to_vec();
        let mut device = start_as(&bus, &found, Way::Plain).expect("it starts without rings");
        device.unmask();
        card.borrow_mut().chip().faults = Faults::none();
        let mut rig = Rig { bus: bus.clone(), slot, card, found, device };
        rig.works_at([60, 61, 1514, 333].into_iter());
        assert_eq!(rig.counts(), [0; 3], "{fault}");
        assert!(rings == bus.memory()[RINGS as usize..][..len], "{fault}: no DMA any more");
    }
}

#[test]
fn one_that_ran_by_programmed_io_is_a_bus_master_the_next_time() {
    let (bus, slot, card) = lists_card("");
    for way in [Way::Plain, Way::Deep, Way::Plain, Way::Shallow] {
        let mut rig = start_in(&bus, slot, card.clone(), &ask(0), way);
        rig.works_at(60..64);
        rig.device.stop();
        bus.sleep(2_000);
    }
}

#[test]
fn one_whose_channel_somebody_masks_runs_by_programmed_io() {
    let (bus, ..) = lists_card("");
    let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
    // The bridge has lost its channel.
    bus.out16(found.io + 0x2000, 4);
    assert_eq!(start_as(&bus, &found, Way::Deep).err(), Some(Fault::Master));
    assert_eq!(bus.cascades(), 0x10);
}

#[test]
fn one_that_is_gone_or_stuck_is_given_up_in_bounded_time() {
    let stuck = (1..=12).map(|command| format!("stuck-command@{command}"));
    for fault in stuck.chain((1..26).map(|access| format!("vanish@{}*0", access * access))) {
        let (bus, _, card) = lists_card("");
        let found = CorkscrewProbe::find(&bus, &ask(0)).unwrap();
        card.borrow_mut().chip().faults = Faults::parse(&fault).unwrap();
        let from = bus.now_ns();
        assert_eq!(start_as(&bus, &found, Way::Deep).err(), Some(Fault::Dead), "{fault}");
        assert!(bus.now_ns() - from < 2_000_000_000, "{fault}: {} ns", bus.now_ns() - from);
    }
}
