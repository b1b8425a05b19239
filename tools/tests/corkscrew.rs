//! The 3C515-TX's driver and probe against its model, and on DOS.

mod elink;
#[path = "corkscrew/edges.rs"]
mod edges;
#[path = "corkscrew/faults.rs"]
mod faults;
#[path = "corkscrew/lists.rs"]
mod lists;
#[path = "corkscrew/on_dos.rs"]
mod on_dos;

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::{Addr, Bus};
use compkt::probe::corkscrew::CorkscrewProbe;
use compkt::probe::corkscrew::lists::CorkscrewListsProbe;
use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::corkscrew::{self as model, Options};
use models::faults::Faults;
use tools::fake_bus::{FakeBus, taken};

use elink::rig::{Driver, MAC, Machine, frame};

const OTHER: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x57];
const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };
const RINGS: u32 = 0x10_0000;

fn ask(index: u8) -> Ask<'static> {
    Ask { index, irq: 0, io: 0, pci: 0, taken: taken(&[]), media: 0, waits: false }
}

type Card = Rc<RefCell<model::Corkscrew>>;

struct Rig {
    bus: FakeBus,
    slot: usize,
    card: Card,
    found: Found,
    device: Box<dyn Driver>,
}

/// How a card is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By programmed I/O.
    Plain,
    /// With rings in XMS.
    Deep,
    /// With rings below 1 MB.
    Shallow,
}
const WAYS: [Way; 3] = [Way::Plain, Way::Deep, Way::Shallow];

fn plug(bus: &FakeBus, options: Options) -> (usize, Card) {
    let card = Rc::new(RefCell::new(model::Corkscrew::new(options)));
    (bus.plug_isa(card.clone()), card)
}

/// Starts a card that was found, in one way.
fn start_as(bus: &FakeBus, found: &Found, way: Way) -> Result<Box<dyn Driver>, Fault> {
    let len = match way {
        Way::Plain => return Ok(Box::new(CorkscrewProbe::start(bus.clone(), found, &NO_RINGS)?)),
        Way::Deep => found.rings_xms,
        Way::Shallow => found.rings_low as u32,
    };
    bus.memory_mut()[RINGS as usize - 64..][..len as usize + 128].fill(0xDD);
    let rings = Rings { linear: Addr(RINGS), physical: RINGS, len };
    Ok(Box::new(CorkscrewListsProbe::start(bus.clone(), found, &rings)?))
}

fn start_in(bus: &FakeBus, slot: usize, card: Card, ask: &Ask, way: Way) -> Rig {
    let found = CorkscrewProbe::find(bus, ask).expect("the card is there");
    let mut device = start_as(bus, &found, way).expect("it starts");
    assert_eq!(bus.sent(slot), Vec::<Vec<u8>>::new(), "nothing is on the wire");
    device.unmask();
    Rig { bus: bus.clone(), slot, card, found, device }
}

fn start(bus: &FakeBus, slot: usize, card: Card, ask: &Ask) -> Rig {
    start_in(bus, slot, card, ask, Way::Plain)
}

fn rig_in(way: Way) -> Rig {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options { lists: way != Way::Plain, ..Options::new(MAC) });
    start_in(&bus, slot, card, &ask(0), way)
}

impl Machine for Rig {
    machine!();

    fn device(&mut self) -> &mut dyn Driver {
        &mut *self.device
    }
}

#[test]
fn it_is_given_resources_and_passes_frames_of_every_length() {
    for way in WAYS {
        let mut rig = rig_in(way);
        assert_eq!((rig.found.mac, rig.found.io, rig.found.irq), (MAC, 0x300, 5));
        rig.works_at(60..=1514);
        assert_eq!(rig.counts(), [0; 3], "{way:?}");
    }
}

#[test]
fn no_card() {
    assert_eq!(CorkscrewProbe::find(&FakeBus::new(), &ask(0)), Err(Fault::End));
    let bus = FakeBus::new();
    bus.plug_isa(Rc::new(RefCell::new(models::el3::El3::new(models::el3::Options::new(MAC)))));
    assert_eq!(CorkscrewProbe::find(&bus, &ask(0)), Err(Fault::End), "another PnP card");
}

#[test]
fn the_user_says_where() {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options::new(MAC));
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { io: 0x310, ..ask(0) }), Err(Fault::Resources));
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { irq: 4, ..ask(0) }), Err(Fault::Irq));
    let mut rig = start(&bus, slot, card, &Ask { io: 0x280, irq: 9, ..ask(0) });
    assert_eq!((rig.found.io, rig.found.irq), (0x280, 9));
    rig.works_at(60..64);
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { io: 0x300, ..ask(0) }), Err(Fault::Nothing), "it is elsewhere");
}

#[test]
fn places_and_lines_in_use_are_left_alone() {
    let bus = FakeBus::new();
    let (slot, card) = plug(&bus, Options::new(MAC));
    let (_, other) = plug(&bus, Options::new(OTHER));
    bus.set_masks(!(1 << 5), false);
    let mut first = start(&bus, slot, card, &ask(0));
    assert_eq!((first.found.io, first.found.irq), (0x300, 10));
    bus.set_masks(!(1 << 5 | 1 << 10), false);
    let beside = Ask { taken: taken(&[first.found.io]), ..ask(0) };
    let mut second = start(&bus, 1 - slot, other, &beside);
    assert_eq!((second.found.io, second.found.irq), (0x320, 11));
    assert_ne!(first.found.mac, second.found.mac);
    if first.found.mac == OTHER {
        std::mem::swap(&mut first.slot, &mut second.slot);
    }
    first.works_at(60..64);
    second.works_at(60..64);
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { taken: taken(&[0x300, 0x320]), ..ask(0) }), Err(Fault::End));
}

#[test]
fn an_eeprom_with_a_wrong_checksum() {
    let bus = FakeBus::new();
    plug(&bus, Options { faults: Faults::parse("bad-checksum").unwrap(), ..Options::new(MAC) });
    assert_eq!(CorkscrewProbe::find(&bus, &ask(0)), Err(Fault::Eeprom));
}

#[test]
fn the_user_chooses_transceiver_and_duplex() {
    for (media, wanted) in [(0, (4, false)), (0x85, (4, true)), (1, (0, false)), (0x81, (0, true)), (9, (4, false))] {
        let bus = FakeBus::new();
        let (slot, card) = plug(&bus, Options::new(MAC));
        let mut rig = start(&bus, slot, card, &Ask { media, ..ask(0) });
        let io = rig.found.io;
        bus.out16(io + 0xE, 0x0803);
        let (config, control) = (bus.in32(io), bus.in16(io + 6));
        bus.out16(io + 0xE, 0x0807);
        assert_eq!((config >> 20 & 15, control & 0x20 != 0), wanted, "{media:02X}");
        rig.works_at(60..64);
    }
    let bus = FakeBus::new();
    plug(&bus, Options::new(MAC));
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { media: 4, ..ask(0) }), Err(Fault::Media));
    assert_eq!(CorkscrewProbe::find(&bus, &Ask { media: 1, ..ask(0) }).map(|found| found.media), Ok(1), "it is not left half done");
}
