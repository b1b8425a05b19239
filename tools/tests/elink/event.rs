//! What happens to a 3Com card between two accesses of its driver.

use models::faults::Faults;
use tools::fake_bus::FakeBus;

#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A frame comes, and is whole.
    Frame,
    /// A damaged one.
    Damaged,
    /// Sixteen collisions end a transmission.
    Collisions,
    /// A FIFO fails, as the frame comes.
    Failure,
}
pub const EVENTS: [Event; 4] = [Event::Frame, Event::Damaged, Event::Collisions, Event::Failure];

/// It happens to the card in this slot, whose model `set` gives its faults; `frame` is what comes.
pub fn happen(bus: &FakeBus, slot: usize, set: impl FnOnce(Faults), frame: &[u8], event: Event) {
    let fault = match event {
        Event::Frame | Event::Collisions => "",
        Event::Damaged => "rx-crc",
        Event::Failure => "adapter-failure",
    };
    if let Event::Collisions = event {
        // Sent before, and still on the wire.
        return bus.sleep(300);
    }
    set(Faults::parse(fault).expect("a fault"));
    bus.receive(slot, frame);
    bus.sleep(100);
}
