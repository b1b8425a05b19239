//! An edge-triggered line, by programmed I/O and with rings: a cause that comes while the driver acknowledges others must make a
//! new edge.

use crate::elink::event::{self, EVENTS, Event};
use crate::*;

fn happen(bus: &FakeBus, slot: usize, card: &Card, event: Event) {
    event::happen(bus, slot, |faults| card.borrow_mut().chip().faults = faults, &frame(60), event);
}

/// An event after each access of an interrupt's service, for each kind of cause.
#[test]
fn what_comes_while_an_interrupt_is_served_raises_a_new_edge() {
    for way in WAYS {
        for first in EVENTS {
            for event in EVENTS {
                for accesses in 1.. {
                    let mut rig = rig_in(way);
                    if matches!((first, event), (Event::Collisions, _) | (_, Event::Collisions)) {
                        rig.card.borrow_mut().chip().faults = Faults::parse("max-collisions").expect("a fault");
                        assert_eq!(rig.send(&frame(200)), Ok(()));
                        // Its first bit is on the wire.
                        rig.bus.sleep(20);
                    }
                    happen(&rig.bus, rig.slot, &rig.card, first);
                    let (slot, card) = (rig.slot, rig.card.clone());
                    rig.bus.after(accesses, move |bus| happen(bus, slot, &card, event));
                    assert!(rig.bus.requested(rig.found.irq), "{first:?}");
                    while rig.bus.requested(rig.found.irq) {
                        rig.serve();
                    }
                    // The service has fewer accesses.
                    if rig.bus.awaits() {
                        assert!(accesses > 5);
                        break;
                    }
                    rig.bus.sleep(300);
                    rig.serve();
                    // A card that has failed did not get the frame with the fault.
                    rig.card.borrow_mut().chip().faults = Faults::none();
                    let next = frame(321);
                    assert!(rig.bus.receive(rig.slot, &next));
                    rig.bus.sleep(500);
                    let what = format!("{way:?}: {event:?} behind access {accesses} of the service of {first:?}");
                    assert!(rig.bus.requested(rig.found.irq), "{what}: no edge for the next frame");
                    assert!(rig.serve().contains(&next), "{what}");
                }
            }
        }
    }
}
