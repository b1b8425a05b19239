//! The line at which the card interrupts.

use crate::rig::*;

/// A started card, its interrupts masked, with this fault from now on.
fn started(fault: &str) -> Rig {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options::new(MAC));
    let found = El3Probe::find(&bus, &ask(0)).expect("the card is there");
    let device = El3Probe::start(bus.clone(), &found, &NO_RINGS).expect("it starts");
    // A handler on a line would take the interrupt.
    bus.set_masks(0, true);
    let rig = Rig { bus, slot, card, found, device };
    rig.fault(fault);
    rig
}

/// The line that is found if `named` is expected. Masks and requests are as before.
fn line(rig: &mut Rig, named: u8) -> u8 {
    let line = El3Probe::line(&rig.bus, &Found { irq: named, ..rig.found }, &mut rig.device);
    assert_eq!((rig.bus.masks(), rig.bus.taken()), (0, vec![]), "nobody has heard of it");
    assert!(!rig.bus.line(10), "it is quiet");
    line
}

#[test]
fn it_arrives() {
    let mut rig = started("");
    let from = rig.bus.now_ns();
    assert_eq!(line(&mut rig, 10), 10);
    assert!(rig.bus.now_ns() - from < 5_000_000, "{} ns", rig.bus.now_ns() - from);
    rig.bus.set_masks(0xFFF8, false);
    rig.device.unmask();
    rig.works();
}

#[test]
fn it_arrives_elsewhere() {
    let mut rig = started("");
    assert_eq!(line(&mut rig, 5), 10);
}

#[test]
fn it_arrives_nowhere() {
    let mut rig = started("lost-interrupt*0");
    let from = rig.bus.now_ns();
    assert_eq!(line(&mut rig, 10), 0);
    assert!(rig.bus.now_ns() - from < 200_000_000, "{} ns", rig.bus.now_ns() - from);
}

#[test]
fn one_that_gets_lost_is_not_the_end_of_the_line() {
    let mut rig = started("lost-interrupt");
    assert_eq!(line(&mut rig, 10), 10);
}

#[test]
fn a_line_that_is_requested_already_is_trusted() {
    let mut rig = started("");
    rig.bus.set_masks(0xFFF8, false);
    rig.device.unmask();
    assert!(rig.bus.receive(rig.slot, &frame(60)));
    rig.bus.sleep(1_000);
    assert!(rig.bus.requested(10));
    assert_eq!(El3Probe::line(&rig.bus, &rig.found, &mut rig.device), 10);
}

#[test]
fn a_card_that_has_no_request_proves_nothing() {
    let mut rig = started("vanish*0");
    assert_eq!(line(&mut rig, 10), 10);
}
