//! A machine with a card; the test does what the core does.

pub use std::cell::RefCell;
pub use std::rc::Rc;

pub use compkt::bus::Addr;
pub use compkt::device::{Counters, Device, Events, Head, MacAddr, RcvMode, Rx, SendError};
pub use compkt::drivers::ne2000::Ne2000;
pub use compkt::probe::ne2000::Ne2000Probe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
pub use models::ne2000::{self as model, Options, TxFault};
pub use tools::fake_bus::{FakeBus, Place, job, taken};
pub use tools::random::Random;

pub const MAC: MacAddr = [0x02, 0x60, 0x8C, 0x12, 0x34, 0x56];
pub const PEER: MacAddr = [0x02, 0, 0, 0, 0, 0x99];
pub const BROADCAST: MacAddr = [0xFF; 6];
pub const IO: u16 = 0x300;
pub const IRQ: u8 = 10;
pub const NO_RINGS: Rings = Rings { linear: Addr(0), physical: 0, len: 0 };
pub const CLIENT: u32 = 0x2_0000;
pub const CANARY: u8 = 0xCA;

pub type Card = Rc<RefCell<model::Ne2000>>;

pub fn ask(index: u8) -> Ask<'static> {
    Ask { index, irq: 0, io: 0, pci: 0, taken: taken(&[]), media: 0, waits: false }
}

pub fn plug_at(io: u16, options: Options) -> (FakeBus, Card) {
    let bus = FakeBus::new();
    let card = Rc::new(RefCell::new(model::Ne2000::new(options)));
    bus.plug(card.clone(), &[Place::Ports(io, 0x20)], IRQ);
    (bus, card)
}

/// The driver, by words or by bytes.
pub trait Driver: Device {
    fn counters(&self) -> Counters;
}

impl<const WIDE: bool> Driver for Ne2000<FakeBus, WIDE> {
    fn counters(&self) -> Counters {
        Ne2000::counters(self)
    }
}

pub struct Rig {
    pub bus: FakeBus,
    pub card: Card,
    pub device: Box<dyn Driver>,
}

/// Tries a candidate as the installer does: for 16-bit cards, then for 8-bit ones.
pub fn find(bus: &FakeBus, ask: &Ask) -> Result<Found, Fault> {
    Ne2000Probe::<true>::find(bus, ask).or_else(|fault| match fault {
        Fault::Nothing => Ne2000Probe::<false>::find(bus, ask),
        _ => Err(fault),
    })
}

pub fn start(bus: &FakeBus) -> Box<dyn Driver> {
    let mut device: Box<dyn Driver> = if let Ok(found) = Ne2000Probe::<true>::find(bus, &ask(0)) {
        Box::new(Ne2000Probe::<true>::start(bus.clone(), &found, &NO_RINGS).expect("it starts"))
    } else {
        let found = Ne2000Probe::<false>::find(bus, &ask(0)).expect("the card is there");
        Box::new(Ne2000Probe::<false>::start(bus.clone(), &found, &NO_RINGS).expect("it starts"))
    };
    device.unmask();
    device
}

pub fn rig(options: Options) -> Rig {
    let (bus, card) = plug_at(IO, options);
    let device = start(&bus);
    Rig { bus, card, device }
}

pub fn kinds() -> [Options; 3] {
    [Options::ne2000(MAC), Options::ne1000(MAC), Options::narrow_ne2000(MAC)]
}

/// A frame of `len` bytes whose content depends on `seed`.
pub fn frame(to: MacAddr, len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(u64::from(seed));
    let head = to.into_iter().chain(PEER).chain([0x08, 0x00]);
    head.chain(std::iter::repeat_with(|| random.word() as u8)).take(len).collect()
}

impl Rig {
    pub fn receive(&self, frame: &[u8]) -> bool {
        self.bus.receive(0, frame)
    }

    /// Takes a frame as the core does: peek twice, copy to a buffer between canaries, discard.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let mut head: Head = [0; 24];
        let mut first = self.device.peek(&mut head)?;
        for _ in 0..64 {
            if first != Rx::USELESS {
                break;
            }
            self.device.discard(first);
            first = self.device.peek(&mut head)?;
        }
        let mut again: Head = [0; 24];
        assert_eq!(self.device.peek(&mut again), Some(first), "peeking twice gives the same frame");
        assert_eq!(head, again);
        let len = first.len() as usize;
        self.bus.memory_mut()[CLIENT as usize..][..2048].fill(CANARY);
        self.device.copy(&job(CLIENT as usize + 16, len, &head));
        let bytes = {
            let memory = self.bus.memory();
            let buffer = &memory[CLIENT as usize..][..2048];
            assert!(buffer[..16].iter().all(|&byte| byte == CANARY), "written in front of the buffer");
            assert!(buffer[16 + len..].iter().all(|&byte| byte == CANARY), "written behind the buffer");
            buffer[16..16 + len].to_vec()
        };
        let seen = len.min(24);
        assert_eq!(head[..seen], bytes[..seen], "lookahead and frame differ");
        self.device.discard(first);
        Some(bytes)
    }

    /// Serves an interrupt if one is requested, as the core does.
    pub fn serve(&mut self) -> (Events, Vec<Vec<u8>>) {
        if !self.bus.take(IRQ) {
            return (Events::NONE, Vec::new());
        }
        let events = self.device.irq();
        let mut frames = Vec::new();
        if events.0 & (Events::RX.0 | Events::OPEN.0) != 0 {
            frames.extend(std::iter::from_fn(|| self.take()).take(100));
        }
        if events != Events::NONE && events != Events::OPEN {
            self.device.unmask();
        }
        (events, frames)
    }

    pub fn try_send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        let at = CLIENT as usize + 0x4000;
        self.bus.memory_mut()[at - 4..at + 2048].fill(CANARY);
        self.bus.memory_mut()[at..at + frame.len()].copy_from_slice(frame);
        self.device.send(&job(at, frame.len(), &[0; 24]))
    }

    /// Sends a frame, and waits until it is on the wire.
    pub fn send(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(self.try_send(frame), Ok(()));
        self.bus.sleep(1_500);
        self.bus.sent(0)
    }
}

pub fn padded(frame: &[u8]) -> Vec<u8> {
    let mut padded = frame.to_vec();
    padded.resize(frame.len().max(60), 0);
    padded
}

impl Rig {
    /// Errors in, errors out, lost.
    pub fn device_counts(&self) -> [u32; 3] {
        let count = self.device.counters();
        [count.errors_in, count.errors_out, count.lost]
    }
}

pub fn overrun(rig: &mut Rig) {
    while rig.receive(&frame(MAC, 1514, 3)) {}
}
