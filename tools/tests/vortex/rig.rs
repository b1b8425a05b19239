//! A machine with one of the cards; the test does what the core does.

pub use std::cell::RefCell;
pub use std::rc::Rc;

use compkt::bus::Addr;
pub use compkt::device::{Device, Events, Head, LOOKAHEAD, SendError};
use compkt::drivers::boomerang;
use compkt::probe::boomerang::BoomerangProbe;
use compkt::probe::vortex::VortexProbe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::elink::Kind;
pub use models::faults::Faults;
pub use models::vortex::{self as model, Options, Part};
pub use tools::fake_bus::{FakeBus, PciFunction, Place, taken};

pub use crate::elink::rig::{Driver, MAC, Machine, frame};
use crate::machine;

pub const IO: u16 = 0xC100;
pub const IRQ: u8 = 10;
const SLOT: u16 = 3 << 3;
/// The address of the rings.
const RINGS: u32 = 0x10_0000;

pub const PARTS: [Part; 6] = [model::C590, model::C595, model::C900, model::C905, model::C905B, model::C905C];

pub type Card = Rc<RefCell<model::Vortex>>;

pub struct Rig {
    pub bus: FakeBus,
    pub slot: usize,
    pub card: Card,
    pub part: Part,
    pub found: Found,
    pub device: Box<dyn Driver>,
}

pub fn plug_as(part: Part, faults: &str, id: u32) -> (FakeBus, usize, Card) {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(model::Vortex::new(Options { faults: Faults::parse(faults).unwrap(), ..Options::new(part, MAC) })));
    let slot = bus.plug(card.clone(), &[Place::Ports(IO, part.ports)], IRQ);
    let mut config = [0; 256];
    config[0..4].copy_from_slice(&id.to_le_bytes());
    config[0x10..0x14].copy_from_slice(&(IO as u32 | 1).to_le_bytes());
    config[0x3C] = IRQ;
    let mut writable = [0; 256];
    writable[4] = 7;
    writable[5] = 4;
    bus.add_pci(PciFunction { place: SLOT, config, writable });
    (bus, slot, card)
}

pub fn plug(part: Part, faults: &str) -> (FakeBus, usize, Card) {
    plug_as(part, faults, (part.device as u32) << 16 | 0x10B7)
}

pub fn ask() -> Ask<'static> {
    Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media: 0, waits: false }
}

pub fn find(bus: &FakeBus, part: Part) -> Result<Found, Fault> {
    find_as(bus, part, &ask())
}

pub fn find_as(bus: &FakeBus, part: Part, ask: &Ask) -> Result<Found, Fault> {
    if part.kind == Kind::Vortex { VortexProbe::find(bus, ask) } else { BoomerangProbe::find(bus, ask) }
}

/// Starts a card with long rings, or with those of V86 mode.
pub fn start(bus: &FakeBus, part: Part, found: &Found, deep: bool) -> Result<Box<dyn Driver>, Fault> {
    if part.kind == Kind::Vortex {
        let none = Rings { linear: Addr(0), physical: 0, len: 0 };
        return Ok(Box::new(VortexProbe::start(bus.clone(), found, &none)?));
    }
    let len = if deep { found.rings_xms } else { found.rings_low as u32 };
    bus.memory_mut()[RINGS as usize - 64..][..len as usize + 128].fill(0xDD);
    let rings = Rings { linear: Addr(RINGS), physical: RINGS, len };
    Ok(Box::new(BoomerangProbe::start(bus.clone(), found, &rings)?))
}

/// Starts a card, and finds its line.
pub fn line(bus: &FakeBus, part: Part, found: &Found) -> u8 {
    if part.kind == Kind::Vortex {
        let none = Rings { linear: Addr(0), physical: 0, len: 0 };
        let mut device = VortexProbe::start(bus.clone(), found, &none).expect("it starts");
        return VortexProbe::line(bus, found, &mut device);
    }
    let rings = Rings { linear: Addr(RINGS), physical: RINGS, len: found.rings_xms };
    let mut device = BoomerangProbe::start(bus.clone(), found, &rings).expect("it starts");
    BoomerangProbe::line(bus, found, &mut device)
}

pub fn rig_of(part: Part, deep: bool) -> Rig {
    let (bus, slot, card) = plug(part, "");
    let found = find(&bus, part).expect("the card is there");
    let mut device = start(&bus, part, &found, deep).expect("it starts");
    assert!(!bus.line(IRQ), "quiet until it is unmasked");
    device.unmask();
    Rig { bus, slot, card, part, found, device }
}

pub fn rig(part: Part) -> Rig {
    rig_of(part, true)
}

impl Rig {
    /// Starts the card again with another device.
    pub fn restart(&mut self, found: &Found) {
        self.device = start(&self.bus, self.part, found, true).expect("it starts");
        self.device.unmask();
    }
}

impl Machine for Rig {
    machine!();

    fn device(&mut self) -> &mut dyn Driver {
        &mut *self.device
    }

    /// The line is level-triggered.
    fn acknowledge(&mut self) -> bool {
        if !self.bus.line(IRQ) {
            return false;
        }
        self.bus.take(IRQ);
        if self.device.irq() == Events::NONE {
            return false;
        }
        assert!(!self.bus.line(IRQ), "the line falls when the cause is acknowledged");
        true
    }

    /// Checks that frames pass in both directions, and that nothing was written around the rings.
    fn works(&mut self) {
        self.works_at([60, 1514, 333].into_iter());
        if self.part.kind != Kind::Vortex {
            assert!(self.bus.memory()[RINGS as usize - 64..RINGS as usize].iter().all(|byte| *byte == 0xDD));
        }
    }
}

/// Bytes of the rings of V86 mode.
pub fn shallow() -> u32 {
    boomerang::bytes(2, 2)
}
