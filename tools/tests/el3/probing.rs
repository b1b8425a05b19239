//! Finding cards in any state.

use crate::rig::*;

const OTHER: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x57];

#[test]
fn no_card() {
    let bus = FakeBus::new();
    assert_eq!(El3Probe::find(&bus, &ask(0)), Err(Fault::End));
}

#[test]
fn several_cards_are_told_apart_and_all_work() {
    let bus = FakeBus::new();
    let cards = [(MAC, 0x300, 10), (OTHER, 0x320, 11), ([0x52, 0x54, 0, 0, 0, 1], 0x240, 5)];
    let slots = cards.map(|(mac, io, irq)| plug(&bus, Options { io, irq, ..Options::new(mac) }));
    let mut rigs = Vec::new();
    for index in 0..3 {
        let found = El3Probe::find(&bus, &ask(index)).expect("another card");
        let at = cards.iter().position(|card| *card == (found.mac, found.io, found.irq)).expect("one of them, whole");
        let mut device = El3Probe::start(bus.clone(), &found, &NO_RINGS).expect("it starts");
        device.unmask();
        let (slot, card) = slots[at].clone();
        rigs.push(Rig { bus: bus.clone(), slot, card, found, device });
    }
    assert_eq!(El3Probe::find(&bus, &ask(3)), Err(Fault::End));
    for rig in &mut rigs {
        let mut own = frame(77);
        own[..6].copy_from_slice(&rig.found.mac);
        assert!(rig.bus.receive(rig.slot, &own));
        rig.bus.sleep(200);
        assert_eq!(rig.serve(), [own]);
        assert_eq!(rig.send(&frame(99)), Ok(()));
        rig.bus.sleep(200);
        assert_eq!(rig.bus.sent(rig.slot), [frame(99)]);
    }
}

#[test]
fn a_second_copy_of_the_driver_leaves_the_first_one_its_card() {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options::new(MAC));
    plug(&bus, Options { io: 0x320, irq: 11, ..Options::new(OTHER) });
    let mut first = start(bus.clone(), slot, card, &ask(0));
    let second = (0..7).map(|index| El3Probe::find(&bus, &Ask { taken: taken(&[0x300]), ..ask(index) }));
    let second: Vec<Found> = second.take_while(|found| *found != Err(Fault::End)).filter_map(Result::ok).collect();
    assert_eq!(second.iter().map(|found| (found.mac, found.io)).collect::<Vec<_>>(), [(OTHER, 0x320)]);
    first.works();
}

#[test]
fn a_card_that_another_driver_left_active() {
    let left = rig();
    left.bus.receive(left.slot, &frame(500));
    left.bus.sleep(1_000);
    assert!(left.bus.take(10), "an interrupt is pending");
    let mut again = start(left.bus.clone(), left.slot, left.card.clone(), &ask(0));
    again.works();
}

#[test]
fn a_card_elsewhere_than_the_user_says() {
    let bus = FakeBus::new();
    plug(&bus, Options::new(MAC));
    assert_eq!(El3Probe::find(&bus, &Ask { io: 0x320, ..ask(0) }), Err(Fault::Nothing));
    assert_eq!(El3Probe::find(&bus, &Ask { io: 0x300, ..ask(0) }).map(|found| found.io), Ok(0x300));
}

#[test]
fn two_cards_with_one_address() {
    let bus = FakeBus::new();
    plug(&bus, Options::new(MAC));
    plug(&bus, Options::new(OTHER));
    let first = El3Probe::find(&bus, &ask(0)).expect("the first is fine");
    assert_eq!(first.mac, MAC);
    assert_eq!(El3Probe::find(&bus, &ask(1)), Err(Fault::Resources));
}

#[test]
fn an_eeprom_with_a_wrong_checksum() {
    let bus = FakeBus::new();
    plug(&bus, Options { faults: Faults::parse("bad-checksum").unwrap(), ..Options::new(MAC) });
    assert_eq!(El3Probe::find(&bus, &ask(0)), Err(Fault::Eeprom));
}

#[test]
fn a_line_that_the_card_cannot_have() {
    let bus = FakeBus::new();
    plug(&bus, Options::new(MAC));
    assert_eq!(El3Probe::find(&bus, &Ask { irq: 4, ..ask(0) }), Err(Fault::Irq));
    assert_eq!(El3Probe::find(&bus, &Ask { irq: 5, ..ask(0) }).map(|found| found.irq), Ok(5));
}

#[test]
fn a_card_without_pnp() {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { pnp: false, ..Options::new(MAC) });
    start(bus, slot, card, &ask(0)).works();
}

#[test]
fn a_card_that_waits_for_the_pnp_key_and_is_deaf_to_its_id_port() {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { faults: Faults::parse("id-deaf").unwrap(), ..Options::new(MAC) });
    let mut rig = start(bus, slot, card, &ask(0));
    assert_eq!((rig.found.mac, rig.found.io, rig.found.irq), (MAC, 0x300, 10));
    rig.works();
}
