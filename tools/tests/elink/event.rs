//! Events for a 3Com card between two accesses of its driver.

use models::faults::Faults;
use tools::fake_bus::FakeBus;

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
