//! A machine with one of the cards; the test does what the core does.

pub use std::cell::RefCell;
pub use std::rc::Rc;

use compkt::bus::Addr;
pub use compkt::device::{Counters, Device, Events, Head, LOOKAHEAD, Rx, SendError};
use compkt::drivers::boomerang::{self, Boomerang};
use compkt::drivers::vortex::Vortex;
use compkt::probe::boomerang::BoomerangProbe;
use compkt::probe::vortex::VortexProbe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
use models::elink::Kind;
pub use models::faults::Faults;
pub use models::vortex::{self as model, Options, Part};
pub use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};

pub const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
pub const IO: u16 = 0xC100;
pub const IRQ: u8 = 10;
const SLOT: u16 = 3 << 3;
/// Addresses of a client's buffer, of a frame to send, and of the rings.
const ROOM: usize = 0x2000;
const FRAME: usize = 0x4000;
const RINGS: u32 = 0x10_0000;

pub const PARTS: [Part; 6] = [model::C590, model::C595, model::C900, model::C905, model::C905B, model::C905C];

pub type Card = Rc<RefCell<model::Vortex>>;

/// The driver with FIFOs or with lists.
pub trait Driver: Device {
    fn counters(&self) -> Counters;
}
impl Driver for Vortex<FakeBus> {
    fn counters(&self) -> Counters {
        Vortex::counters(self)
    }
}
impl Driver for Boomerang<FakeBus> {
    fn counters(&self) -> Counters {
        Boomerang::counters(self)
    }
}

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

pub fn find(bus: &FakeBus, part: Part) -> Result<Found, Fault> {
    find_as(bus, part, 0)
}

/// With `/MEDIA=`.
pub fn find_as(bus: &FakeBus, part: Part, media: u8) -> Result<Found, Fault> {
    let ask = Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media, waits: false };
    if part.kind == Kind::Vortex { VortexProbe::find(bus, &ask) } else { BoomerangProbe::find(bus, &ask) }
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

pub fn frame(len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
    frame[..6].copy_from_slice(&MAC);
    frame
}

impl Rig {
    /// Starts the card again with another device.
    pub fn restart(&mut self, found: &Found) {
        self.device = start(&self.bus, self.part, found, true).expect("it starts");
        self.device.unmask();
    }

    /// Sets a fault from now on.
    pub fn fault(&self, text: &str) {
        self.card.borrow_mut().chip().faults = Faults::parse(text).expect("a fault");
    }

    pub fn pull(&self, up: bool) {
        self.bus.with_env(self.slot, |env| models::Model::set_link(&mut *self.card.borrow_mut(), env, up));
    }

    pub fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.bus.memory_mut()[FRAME..FRAME + frame.len()].copy_from_slice(frame);
        // The bytes behind the frame must not be sent.
        self.bus.memory_mut()[FRAME + frame.len()..FRAME + frame.len() + 64].fill(0xEE);
        self.device.send(&job(FRAME, frame.len(), &[0; LOOKAHEAD]))
    }

    /// Serves interrupts as the core does while the line is high: acknowledge, take every frame, unmask.
    pub fn serve(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..200 {
            if !self.bus.line(IRQ) {
                break;
            }
            self.bus.take(IRQ);
            if self.device.irq() == Events::NONE {
                break;
            }
            assert!(!self.bus.line(IRQ), "the line falls when the cause is acknowledged");
            let mut head: Head = [0; LOOKAHEAD];
            for _ in 0..64 {
                let Some(rx) = self.device.peek(&mut head) else { break };
                if rx == Rx::USELESS {
                    self.device.discard(rx);
                    continue;
                }
                self.bus.memory_mut()[ROOM - 1..ROOM + 1600].fill(0xA5);
                self.device.copy(&job(ROOM, rx.len().into(), &head));
                let memory = self.bus.memory();
                let len = rx.len() as usize;
                assert_eq!((memory[ROOM - 1], memory[ROOM + len]), (0xA5, 0xA5));
                frames.push(memory[ROOM..][..len].to_vec());
                drop(memory);
                self.device.discard(rx);
            }
            self.device.unmask();
        }
        frames
    }

    /// Errors in, errors out, lost.
    pub fn counts(&self) -> [u32; 3] {
        let Counters { errors_in, errors_out, lost, .. } = self.device.counters();
        [errors_in, errors_out, lost]
    }

    /// Checks that frames pass in both directions, and that nothing was written around the rings.
    pub fn works(&mut self) {
        for len in [60, 1514, 333] {
            let sent = frame(len);
            assert!(self.bus.receive(self.slot, &sent), "{:?} {len} bytes", self.part);
            self.bus.sleep(2_000);
            assert_eq!(self.serve(), std::slice::from_ref(&sent), "{:?} {len} bytes", self.part);
            assert_eq!(self.send(&sent), Ok(()));
            self.bus.sleep(2_000);
            self.serve();
            assert_eq!(self.bus.sent(self.slot), [sent], "{:?} {len} bytes", self.part);
        }
        if self.part.kind != Kind::Vortex {
            assert!(self.bus.memory()[RINGS as usize - 64..RINGS as usize].iter().all(|byte| *byte == 0xDD));
        }
    }
}

/// Bytes of the rings of V86 mode.
pub fn shallow() -> u32 {
    boomerang::bytes(2, 2)
}
