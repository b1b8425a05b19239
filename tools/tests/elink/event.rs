//! Events for a 3Com card between two accesses of its driver.

use models::faults::Faults;
use tools::fake_bus::FakeBus;

use super::rig::{Machine, frame};

#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A frame arrives completely.
    Frame,
    /// A damaged frame arrives.
    Damaged,
    /// A transmission ends with sixteen collisions.
    Collisions,
    /// The adapter fails when the frame arrives.
    Failure,
}
pub const EVENTS: [Event; 4] = [Event::Frame, Event::Damaged, Event::Collisions, Event::Failure];

/// Lets the event happen to the card in this slot. `set` sets its faults; `frame` is the frame that arrives.
pub fn happen(bus: &FakeBus, slot: usize, set: impl FnOnce(Faults), frame: &[u8], event: Event) {
    let fault = match event {
        Event::Frame | Event::Collisions => "",
        Event::Damaged => "rx-crc",
        Event::Failure => "adapter-failure",
    };
    if let Event::Collisions = event {
        // The frame was sent before, and is still on the wire.
        return bus.sleep(300);
    }
    set(Faults::parse(fault).expect("a fault"));
    bus.receive(slot, frame);
    bus.sleep(100);
}

/// An event of each kind after each access of an interrupt's service, for each kind of cause. `start` starts a card; `setter`
/// gives what sets its faults.
pub fn at_each_access<M: Machine, S: FnOnce(Faults) + 'static>(mut start: impl FnMut() -> M, setter: impl Fn(&M) -> S) {
    for first in EVENTS {
        for event in EVENTS {
            // The service has fewer accesses.
            let most = (1..).find(|accesses| !is_served(&mut start(), &setter, first, event, *accesses));
            assert!(most.is_some_and(|most| most > 5));
        }
    }
}

/// Whether the service of `first` has so many accesses; then the next frame behind `event` must make a new edge.
fn is_served<M: Machine, S: FnOnce(Faults) + 'static>(rig: &mut M, setter: impl Fn(&M) -> S, first: Event, event: Event, accesses: u32) -> bool {
    let (bus, slot, irq) = (rig.bus().clone(), rig.slot(), rig.found().irq);
    if matches!((first, event), (Event::Collisions, _) | (_, Event::Collisions)) {
        rig.fault("max-collisions");
        assert_eq!(rig.send(&frame(200)), Ok(()));
        // Its first bit is on the wire.
        bus.sleep(20);
    }
    happen(&bus, slot, setter(rig), &frame(60), first);
    let set = setter(rig);
    bus.after(accesses, move |bus| happen(bus, slot, set, &frame(60), event));
    assert!(bus.requested(irq), "{first:?}");
    while bus.requested(irq) {
        rig.serve();
    }
    if bus.awaits() {
        return false;
    }
    bus.sleep(300);
    rig.serve();
    // A card that has failed did not get the frame with the fault.
    rig.set_faults(Faults::none());
    let next = frame(321);
    assert!(bus.receive(slot, &next));
    bus.sleep(500);
    let what = format!("{event:?} behind access {accesses} of the service of {first:?}");
    assert!(bus.requested(irq), "{what}: no edge for the next frame");
    assert!(rig.serve().contains(&next), "{what}");
    true
}
