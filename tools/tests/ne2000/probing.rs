//! Finding cards, with their kind, address and line.

use crate::rig::*;

#[test]
fn finds_each_kind_with_its_address_and_line() {
    for (io, index) in [(0x300, 0), (0x320, 1), (0x280, 4)] {
        for options in kinds() {
            let (bus, _) = plug_at(io, options.clone());
            let found = find(&bus, &ask(index));
            let Ok(Found { mac, io: at, irq, .. }) = found else { panic!("{io:X}h {options:?}: {found:?}") };
            assert_eq!((mac, at, irq), (MAC, io, IRQ));
            assert_eq!(bus.masks(), 0xFFF8, "the interrupt controllers' masks are as they were");
        }
    }
}

#[test]
fn a_card_that_interrupts_at_events_only_is_served() {
    let (bus, card) = plug_at(IO, Options::ne2000(MAC));
    card.borrow_mut().faults.masks_hide = true;
    assert_eq!(find(&bus, &ask(0)).map(|found| found.irq), Ok(IRQ));
    let device = start(&bus);
    let mut rig = Rig { bus, card, device };
    for seed in 0..50 {
        let frames = [frame(MAC, 70, seed), frame(MAC, 71, seed)];
        assert!(rig.receive(&frames[0]));
        assert!(rig.bus.take(IRQ));
        assert_eq!(rig.device.irq(), Events::OPEN);
        assert_eq!(rig.take(), Some(frames[0].clone()));
        assert_eq!(rig.take(), None);
        assert!(rig.receive(&frames[1]), "between the last look and the end of the interrupt");
        rig.device.unmask();
        assert_eq!(rig.serve().1, [frames[1].clone()]);
    }
}

#[test]
fn a_given_place_and_line_are_believed() {
    let (bus, _) = plug_at(0x2C0, Options::ne2000(MAC));
    let given = Ask { irq: 3, io: 0x2C0, ..ask(0) };
    assert_eq!(find(&bus, &given).map(|found| found.irq), Ok(3));
    assert_eq!(find(&bus, &Ask { index: 1, ..given }), Err(Fault::End));
}

#[test]
fn nothing_is_written_where_nothing_answers() {
    let bus = FakeBus::new();
    let faults: Vec<_> = (0..).map(|index| find(&bus, &ask(index)).unwrap_err()).take(11).collect();
    assert_eq!(faults.iter().filter(|&&fault| fault == Fault::Nothing).count(), 10);
    assert_eq!(faults.last(), Some(&Fault::End));
    assert_eq!(bus.writes(), []);
}

#[test]
fn a_card_of_another_copy_is_not_touched() {
    let (bus, _) = plug_at(0x320, Options::ne2000(MAC));
    let second = Ask { taken: taken(&[0x300, 0x320]), ..ask(1) };
    assert_eq!(find(&bus, &second), Err(Fault::Nothing));
    assert_eq!(bus.writes(), []);
}

#[test]
fn addresses_that_no_card_has_are_refused() {
    for mac in [[0; 6], [0xFF; 6], [0x01, 0, 0x5E, 0, 0, 1]] {
        let (bus, _) = plug_at(IO, Options::ne2000(mac));
        assert_eq!(find(&bus, &ask(0)), Err(Fault::Eeprom));
    }
}

#[test]
fn the_line_is_found_while_the_cpu_takes_interrupts() {
    let (bus, _) = plug_at(IO, Options::ne2000(MAC));
    bus.set_masks(0, true);
    assert_eq!(find(&bus, &ask(0)).map(|found| found.irq), Ok(IRQ));
    assert_eq!(bus.taken(), [], "a line that was looked for interrupted");
    assert_eq!(bus.masks(), 0);
}

fn line<const WIDE: bool>(bus: &FakeBus, named: u8) -> Option<u8> {
    let found = Ne2000Probe::<WIDE>::find(bus, &Ask { irq: named, ..ask(0) }).ok()?;
    let mut device = Ne2000Probe::<WIDE>::start(bus.clone(), &found, &NO_RINGS).expect("it starts");
    Some(Ne2000Probe::<WIDE>::line(bus, &found, &mut device))
}

#[test]
fn a_line_that_was_given_and_is_wrong_is_put_right() {
    for options in kinds() {
        for named in [3, IRQ] {
            let (bus, _) = plug_at(IO, options.clone());
            bus.set_masks(0, true);
            let line = line::<true>(&bus, named).or_else(|| line::<false>(&bus, named));
            assert_eq!((line, bus.line(IRQ), bus.masks(), bus.taken()), (Some(IRQ), false, 0, vec![]), "{named} {options:?}");
        }
    }
}
