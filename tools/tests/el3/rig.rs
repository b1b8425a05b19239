//! A machine with a card; the test does what the core does.

pub use std::cell::RefCell;
pub use std::rc::Rc;

use compkt::bus::Addr;
pub use compkt::device::{Device, Events, Head, LOOKAHEAD, SendError};
use compkt::drivers::el3::El3;
pub use compkt::probe::el3::El3Probe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
pub use models::el3::{self as model, Options};
pub use models::faults::Faults;
pub use tools::fake_bus::{FakeBus, job, taken};

pub use crate::elink::rig::{Driver, MAC, Machine, ROOM, frame};
use crate::machine;

pub const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };

pub fn ask(index: u8) -> Ask<'static> {
    Ask { index, irq: 0, io: 0, pci: 0, taken: taken(&[]), media: 0, waits: false }
}

pub type Card = Rc<RefCell<model::El3>>;

pub struct Rig {
    pub bus: FakeBus,
    pub slot: usize,
    pub card: Card,
    pub found: Found,
    pub device: El3<FakeBus, false>,
}

pub fn plug(bus: &FakeBus, options: Options) -> (usize, Card) {
    let card = Rc::new(RefCell::new(model::El3::new(options)));
    (bus.plug_isa(card.clone()), card)
}

pub fn start(bus: FakeBus, slot: usize, card: Card, ask: &Ask) -> Rig {
    let found = El3Probe::find(&bus, ask).expect("the card is there");
    let mut device = El3Probe::start(bus.clone(), &found, &NO_RINGS).expect("it starts");
    device.unmask();
    Rig { bus, slot, card, found, device }
}

pub fn rig() -> Rig {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options::new(MAC));
    start(bus, slot, card, &ask(0))
}

impl Machine for Rig {
    machine!();

    fn device(&mut self) -> &mut dyn Driver {
        &mut self.device
    }
}
