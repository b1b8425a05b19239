//! An edge-triggered line: a cause that comes while the driver acknowledges others must make a new edge.
//!
//! On an ISA bus the interrupt controller sees the line rise and nothing else. A cause that the driver leaves pending keeps the
//! line high, if it has not been low since: then no further frame is announced.

use crate::rig::*;

/// Events between two accesses of the driver.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A good frame arrives.
    Frame,
    /// A damaged frame arrives.
    Damaged,
    /// Frames arrive until the ring is full, and one more.
    Overrun,
    /// A transmission ends with sixteen collisions.
    Aborted,
}

const EVENTS: [Event; 4] = [Event::Frame, Event::Damaged, Event::Overrun, Event::Aborted];

fn happen(bus: &FakeBus, card: &Card, event: Event) {
    match event {
        Event::Frame => drop(bus.receive(0, &frame(MAC, 99, 2))),
        Event::Damaged => bus.with_env(0, |env| card.borrow_mut().receive_damaged(env, &frame(MAC, 60, 1))),
        Event::Overrun => while bus.receive(0, &frame(MAC, 1514, 3)) {},
        Event::Aborted => {
            bus.sleep(1_500);
            card.borrow_mut().faults.tx = TxFault::None;
        }
    }
}

impl Rig {
    /// Serves interrupts until none is requested; returns the frames.
    fn serve_all(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..100 {
            if !self.bus.requested(IRQ) {
                return frames;
            }
            frames.extend(self.serve().1);
        }
        panic!("interrupts without an end");
    }

    /// Checks that an edge announces the next frame.
    fn hears(&mut self, what: &str) {
        let next = frame(MAC, 321, 9);
        let came = self.bus.receive(0, &next);
        assert!(came, "{what}: the card has no room any more");
        assert!(self.bus.requested(IRQ), "{what}: no edge for the next frame");
        assert_eq!(self.serve_all(), [next], "{what}");
    }
}

/// An event after each access of an interrupt's service, for each kind of cause.
#[test]
fn what_comes_while_an_interrupt_is_served_raises_a_new_edge() {
    for options in kinds() {
        for first in EVENTS {
            for event in EVENTS {
                let mut accesses = 0;
                loop {
                    accesses += 1;
                    let mut rig = rig(options.clone());
                    if matches!((first, event), (Event::Aborted, _) | (_, Event::Aborted)) {
                        rig.card.borrow_mut().faults.tx = TxFault::Aborted;
                        assert_eq!(rig.try_send(&frame(PEER, 60, 4)), Ok(()));
                    }
                    happen(&rig.bus, &rig.card, first);
                    let card = rig.card.clone();
                    rig.bus.after(accesses, move |bus| happen(bus, &card, event));
                    assert!(rig.bus.requested(IRQ));
                    rig.serve_all();
                    // The service has fewer accesses.
                    if rig.bus.awaits() {
                        break;
                    }
                    rig.hears(&format!("{event:?} behind access {accesses} of the service of {first:?}, {options:?}"));
                }
                assert!(accesses > 5);
            }
        }
    }
}

/// The same at random: several events, after any accesses, also of `send`.
#[test]
fn events_at_random_moments_strand_nothing() {
    for options in kinds() {
        for seed in 1..=100 {
            let mut random = Random::new(seed);
            let mut rig = rig(options.clone());
            for round in 0..12 {
                for _ in 0..1 + random.word() % 3 {
                    let event = EVENTS[random.word() as usize % EVENTS.len()];
                    let card = rig.card.clone();
                    rig.bus.after(1 + random.word() % 60, move |bus| happen(bus, &card, event));
                }
                if random.word().is_multiple_of(2) {
                    rig.card.borrow_mut().faults.tx = TxFault::Aborted;
                    let _ = rig.try_send(&frame(PEER, 60 + random.word() as usize % 900, round));
                }
                rig.receive(&frame(MAC, 60 + random.word() as usize % 1400, round));
                rig.serve_all();
            }
            rig.bus.sleep(2_000);
            rig.serve_all();
            // Planned events still happen while these are served.
            for _ in 0..60 {
                rig.receive(&frame(MAC, 60, 5));
                rig.serve_all();
            }
            rig.hears(&format!("seed {seed}, {options:?}"));
        }
    }
}
