//! A machine with one of the cards; the test does what the core does.

use std::cell::RefCell;
use std::rc::Rc;

use compkt::bus::{Addr, Bus};
pub use compkt::device::{Device, Events, Head, Link, MacAddr, RcvMode, Rx, SendError};
pub use compkt::probe::rtl8169::{Rtl8125Probe, Rtl8169Probe};
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
pub use models::Model;
pub use models::faults::Faults;
pub use models::rtl8169::{self as model, Generation, Left, Options, PARTS, Part, Rtl8169};
use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};
use tools::random::Random;

pub const MAC: MacAddr = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
pub const PEER: MacAddr = [0x52, 0x55, 0, 0, 0, 0x99];
pub const BASE: u16 = 0xC100;
pub const IRQ: u8 = 11;
/// The address of a client's buffer.
const CLIENT: usize = 0x2_0000;
/// 16 above a multiple of 256.
const RINGS: u32 = 0x10_0010;
const PLACE: u16 = 3 << 3;
/// The BIOS's tick count.
const TICKS: usize = 0x46C;
/// Longer than a frame takes at 100 Mb/s, in microseconds.
pub const FRAME_US: u64 = 200;

/// A card in a machine, before a driver has seen it.
pub struct Plugged {
    pub bus: FakeBus,
    pub card: Rc<RefCell<Rtl8169>>,
    pub part: Part,
}

/// Plugs a card in. It has another PCI identity than its chip's if `id` is not 0.
pub fn plug_as(options: Options, id: u32, subsystem: u16) -> Plugged {
    let part = options.part;
    let identity = part.identity();
    let (bus, card) = (FakeBus::new(), Rc::new(RefCell::new(Rtl8169::new(options))));
    bus.plug(card.clone(), &[Place::Ports(BASE, 0x100)], IRQ);
    let id = if id == 0 { (part.device as u32) << 16 | identity.vendor as u32 } else { id };
    let mut config = [0; 256];
    config[0..4].copy_from_slice(&id.to_le_bytes());
    config[0x10..0x14].copy_from_slice(&(BASE as u32 | 1).to_le_bytes());
    config[0x2E..0x30].copy_from_slice(&subsystem.to_le_bytes());
    config[0x3C] = IRQ;
    if let Some(at) = identity.express {
        // ASPM is on.
        (config[6], config[0x34], config[at as usize], config[at as usize + 0x10]) = (0x10, at, 0x10, 3);
    }
    let mut writable = [0; 256];
    (writable[4], writable[5]) = (7, 4);
    if let Some(at) = identity.express {
        writable[at as usize + 0x10] = 3;
    }
    bus.add_pci(PciFunction { place: PLACE, config, writable });
    Plugged { bus, card, part }
}

/// A chip whose negotiation is over after two milliseconds.
pub fn options(part: Part, faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), negotiation: 2_000_000, ..Options::new(part, MAC) }
}

pub fn plug(options: Options) -> Plugged {
    plug_as(options, 0, 0)
}

/// Whether the chip is an 8125.
pub fn is_new(part: Part) -> bool {
    part.generation == Generation::Fourth
}

impl Plugged {
    pub fn find(&self) -> Result<Found, Fault> {
        let ask = Ask { index: 0, irq: 0, io: 0, pci: PLACE, taken: taken(&[]), media: 0, waits: false };
        if is_new(self.part) { Rtl8125Probe::find(&self.bus, &ask) } else { Rtl8169Probe::find(&self.bus, &ask) }
    }

    /// Starts the card with rings in XMS or below 1 MB; the line that the probe has seen.
    pub fn start(&self, found: &Found, deep: bool) -> Result<(Box<dyn Device>, u8), Fault> {
        let bus = &self.bus;
        let len = if deep { found.rings_xms } else { found.rings_low as u32 };
        bus.memory_mut()[RINGS as usize - 16..][..len as usize + 32].fill(0xDD);
        let rings = Rings { linear: Addr(RINGS), physical: RINGS, len };
        macro_rules! started {
            ($probe:ty) => {{
                let mut device = <$probe>::start(bus.clone(), found, &rings)?;
                let line = <$probe>::line(bus, found, &mut device);
                let device: Box<dyn Device> = if deep { Box::new(device.deep()) } else { Box::new(device) };
                (device, line)
            }};
        }
        let started = if is_new(self.part) { started!(Rtl8125Probe) } else { started!(Rtl8169Probe) };
        assert!(self.around(len), "only the rings' memory is written");
        Ok(started)
    }

    /// Nothing was written before and behind the rings.
    fn around(&self, len: u32) -> bool {
        let memory = self.bus.memory();
        [RINGS - 16, RINGS + len].iter().all(|at| memory[*at as usize..][..16] == [0xDD; 16])
    }

    pub fn out(&self, register: u16, width: u8, value: u32) {
        self.bus.with_env(0, |env| self.card.borrow_mut().write(env, register, width, value));
    }

    pub fn read(&self, register: u16, width: u8) -> u32 {
        self.bus.with_env(0, |env| self.card.borrow_mut().read(env, register, width))
    }

    /// ASPM's bits of the PCI Express link.
    pub fn power_saving(&self) -> Option<u32> {
        self.part.identity().express.map(|at| self.bus.config_read(PLACE, at + 0x10) & 3)
    }

    pub fn fault(&self, faults: &str) {
        self.card.borrow_mut().faults = Faults::parse(faults).unwrap();
    }

    pub fn cable(&self, plugged: bool) {
        self.bus.with_env(0, |env| self.card.borrow_mut().set_link(env, plugged));
    }
}

/// A card with its driver.
pub struct Rig {
    pub plugged: Plugged,
    pub device: Box<dyn Device>,
    /// The line that the probe has seen.
    pub line: u8,
}

pub fn rig_of(options: Options, deep: bool) -> Rig {
    let plugged = plug(options);
    let found = plugged.find().expect("the card is there");
    let (mut device, line) = plugged.start(&found, deep).expect("it starts");
    assert!(!plugged.bus.line(IRQ), "quiet until it is unmasked");
    device.unmask();
    Rig { plugged, device, line }
}

/// A card whose link is up; the driver has been told.
pub fn rig(part: Part, deep: bool) -> Rig {
    let mut rig = rig_of(options(part, ""), deep);
    rig.bus().sleep(3_000);
    assert_eq!(rig.serve(), Vec::<Vec<u8>>::new());
    rig
}

/// Every chip, with rings in XMS and below 1 MB.
pub fn all() -> impl Iterator<Item = (Part, bool)> {
    PARTS.into_iter().flat_map(|(_, part)| [(part, false), (part, true)])
}

pub fn frame_to(to: MacAddr, len: usize, seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed as u64);
    let head = to.into_iter().chain(PEER).chain([8, 0]).chain(seed.to_le_bytes());
    head.chain(std::iter::repeat_with(|| random.word() as u8)).take(len).collect()
}

pub fn frame(len: usize, seed: u32) -> Vec<u8> {
    frame_to(MAC, len, seed)
}

impl Rig {
    pub fn bus(&self) -> &FakeBus {
        &self.plugged.bus
    }

    /// A frame comes, and is whole a moment later. False: the card did not take it.
    pub fn arrive(&self, frame: &[u8]) -> bool {
        let took = self.bus().receive(0, frame);
        self.bus().sleep(FRAME_US);
        took
    }

    /// Takes a frame. Calls `upcall` where the core calls a receiver, which may enable interrupts.
    fn take(&mut self, mut upcall: impl FnMut(&mut Rig)) -> Option<Vec<u8>> {
        let mut head: Head = [0; 24];
        let rx = self.device.peek(&mut head)?;
        if rx == Rx::USELESS {
            self.device.discard(rx);
            return Some(Vec::new());
        }
        let len = rx.len() as usize;
        upcall(self);
        self.device.copy(&job(CLIENT, len, &head));
        let bytes = self.bus().memory()[CLIENT..CLIENT + len].to_vec();
        assert_eq!(bytes[..24], head);
        upcall(self);
        self.device.discard(rx);
        Some(bytes)
    }

    /// Serves interrupts until none is requested; the frames, an empty one for each bad one. `nested`: receivers enable
    /// interrupts.
    pub fn served(&mut self, nested: bool) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..1_000 {
            if !self.bus().take(IRQ) {
                return frames;
            }
            assert_ne!(self.device.irq(), Events::NONE);
            while let Some(frame) = self.take(|rig| {
                if nested {
                    rig.device.irq();
                }
            }) {
                frames.push(frame);
                assert!(frames.len() < 10_000, "frames without an end");
            }
            self.device.unmask();
        }
        panic!("interrupts without an end");
    }

    pub fn serve(&mut self) -> Vec<Vec<u8>> {
        self.served(false)
    }

    pub fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        self.bus().memory_mut()[CLIENT..][..frame.len()].copy_from_slice(frame);
        self.device.send(&job(CLIENT, frame.len(), &[0; 24]))
    }

    /// Sends frames until there is no room; the frames.
    pub fn fill(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while self.send(&frame(60 + frames.len(), frames.len() as u32)).is_ok() {
            frames.push(frame(60 + frames.len(), frames.len() as u32));
            assert!(frames.len() < 100, "room without an end");
        }
        frames
    }

    /// Lets BIOS ticks pass.
    pub fn ticks(&self, count: u8) {
        self.bus().memory_mut()[TICKS] += count;
        self.bus().sleep(FRAME_US);
    }

    /// `errors_in`, `errors_out`, `lost`.
    pub fn counts(&mut self) -> [u32; 3] {
        // SAFETY: a device begins with its counters.
        let counters = unsafe { &*(&raw const *self.device).cast::<compkt::device::Counters>() };
        [counters.errors_in, counters.errors_out, counters.lost]
    }

    /// Frames pass in both directions, and only those for this station.
    pub fn works(&mut self) {
        self.bus().sent(0);
        for len in [60, 1514, 333] {
            let (came, out) = (frame(len, len as u32), frame(len, !(len as u32)));
            assert!(self.arrive(&came), "{len}");
            assert_eq!(self.serve(), [came], "{len}");
            assert_eq!(self.send(&out), Ok(()), "{len}");
            self.bus().sleep(FRAME_US);
            assert_eq!(self.bus().sent(0), [out], "{len}");
        }
        assert!(!self.arrive(&frame_to(PEER, 60, 1)), "the filter is as before");
        assert!(!self.bus().line(IRQ));
    }
}
