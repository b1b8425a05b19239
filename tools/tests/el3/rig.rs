//! A machine with a card; the test does what the core does.

pub use std::cell::RefCell;
pub use std::rc::Rc;

use compkt::bus::Addr;
pub use compkt::device::{Counters, Device, Events, Head, LOOKAHEAD, Rx, SendError};
use compkt::drivers::el3::El3;
pub use compkt::probe::el3::El3Probe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
pub use models::el3::{self as model, Options};
pub use models::faults::Faults;
pub use tools::fake_bus::{FakeBus, job, taken};

pub const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
pub const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };
/// Addresses of a client's buffer and of a frame to send.
pub const ROOM: usize = 0x2000;
const FRAME: usize = 0x4000;

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

pub fn frame(len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|at| (at * 7 + len) as u8).collect();
    frame[..6].copy_from_slice(&MAC);
    frame
}

impl Rig {
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

    /// Serves interrupts as the core does: acknowledge, take every frame, unmask.
    pub fn serve(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..40 {
            if !self.bus.take(self.found.irq) || self.device.irq() == Events::NONE {
                break;
            }
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

    /// Checks that frames pass in both directions.
    pub fn works(&mut self) {
        for len in [60, 1514, 333] {
            let sent = frame(len);
            assert!(self.bus.receive(self.slot, &sent), "{len} bytes");
            self.bus.sleep(2_000);
            assert_eq!(self.serve(), std::slice::from_ref(&sent), "{len} bytes");
            assert_eq!(self.send(&sent), Ok(()));
            self.bus.sleep(2_000);
            self.serve();
            assert_eq!(self.bus.sent(self.slot), [sent], "{len} bytes");
        }
    }
}
