//! A machine with one of the parts; the test does what the core does.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use compkt::bus::{Addr, Bus};
pub use compkt::device::{Device, Events, Head, Link, MacAddr, RcvMode, Rx, SendError};
use compkt::drivers::intel_rings::{Gigabit, Memory, PCH, Ports, Window};
pub use compkt::probe::pch::PchProbe;
pub use compkt::probe::{Ask, Fault, Found, Probe, Rings};
pub use models::Model;
pub use models::faults::Faults;
pub use models::pch::{self as model, Engine, Generation, Left, Options, PARTS, Part, Pch};
use tools::fake_bus::{FakeBus, PciFunction, Place, job, taken};
use tools::random::Random;

pub const MAC: MacAddr = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
pub const PEER: MacAddr = [0x52, 0x55, 0, 0, 0, 0x99];
pub const IRQ: u8 = 11;
const REGISTERS: u32 = 0xFEB0_0000;
const PORTS: u16 = 0xC100;
/// The address of a client's buffer.
const CLIENT: usize = 0x2_0000;
const RINGS: u32 = 0x10_0010;
const SLOT: u16 = 0x1F << 3 | 6;
/// The BIOS's tick count.
const TICKS: usize = 0x46C;
/// Longer than a frame takes at a gigabit, and than the engine holds the bus behind a frame, in microseconds.
pub const FRAME_US: u64 = 60;
/// Longer than a negotiation.
pub const LINK_US: u64 = 3_000;

/// How the driver stands in memory: rings in XMS, rings below 1 MB, or V86 mode with the registers behind ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Deep,
    Shallow,
    Confined,
}

/// The model behind its window of ports alone.
struct Behind(Rc<RefCell<Pch>>);

impl Model for Behind {
    fn read(&mut self, env: &mut dyn models::Env, offset: u16, width: u8) -> u32 {
        self.0.borrow_mut().read(env, model::PORTS + offset, width)
    }
    fn write(&mut self, env: &mut dyn models::Env, offset: u16, width: u8, value: u32) {
        self.0.borrow_mut().write(env, model::PORTS + offset, width, value);
    }
    fn receive(&mut self, env: &mut dyn models::Env, frame: &[u8]) -> bool {
        self.0.borrow_mut().receive(env, frame)
    }
    fn poll(&mut self, env: &mut dyn models::Env) {
        self.0.borrow_mut().poll(env);
    }
    fn wake_at(&self) -> Option<u64> {
        self.0.borrow().wake_at()
    }
    fn wire_free(&self, now_ns: u64) -> bool {
        self.0.borrow().wire_free(now_ns)
    }
    fn set_link(&mut self, env: &mut dyn models::Env, up: bool) {
        self.0.borrow_mut().set_link(env, up);
    }
    fn hard_reset(&mut self, env: &mut dyn models::Env) {
        self.0.borrow_mut().hard_reset(env);
    }
}

/// A part in a machine, before a driver has seen it.
pub struct Plugged {
    pub bus: FakeBus,
    pub card: Rc<RefCell<Pch>>,
    pub part: Part,
    way: Way,
}

/// Plugs a part in. It has another PCI device number than its model's if `device` is not 0.
pub fn plug_as(options: Options, way: Way, device: u16) -> Plugged {
    let part = options.part;
    let (bus, card) = (FakeBus::new(), Rc::new(RefCell::new(Pch::new(options))));
    let mut config = [0; 256];
    let id = ((if device == 0 { part.device } else { device }) as u32) << 16 | 0x8086;
    config[0..4].copy_from_slice(&id.to_le_bytes());
    config[0x10..0x14].copy_from_slice(&REGISTERS.to_le_bytes());
    if has_ports(part) {
        config[0x18..0x1C].copy_from_slice(&(PORTS as u32 | 1).to_le_bytes());
    }
    config[0x3C] = IRQ;
    let mut writable = [0; 256];
    (writable[4], writable[5]) = (7, 4);
    bus.add_pci(PciFunction { place: SLOT, config, writable });
    if way == Way::Confined {
        bus.plug(Rc::new(RefCell::new(Behind(card.clone()))), &[Place::Ports(PORTS, 0x20)], IRQ);
    } else {
        bus.plug(card.clone(), &[Place::Memory(REGISTERS, 0x1_0000)], IRQ);
    }
    bus.with_env(0, |env| card.borrow_mut().hard_reset(env));
    Plugged { bus, card, part, way }
}

/// A part whose negotiation is over after two milliseconds.
pub fn options(part: Part, faults: &str) -> Options {
    Options { faults: Faults::parse(faults).unwrap(), negotiation: 2_000_000, ..Options::new(part, MAC) }
}

pub fn has_ports(part: Part) -> bool {
    part.generation < Generation::Spt
}

/// A device as the resident unit has it.
fn resident<W: Window>(card: <PchProbe as Probe<FakeBus>>::Device) -> Gigabit<FakeBus, W, PCH> {
    let Gigabit { count, place, descs, buffers, peeked, sent_at, rx_buffers, tx_buffers, rx, tx, bus, .. } = card;
    Gigabit { count, place, descs, buffers, peeked, sent_at, rx_buffers, tx_buffers, rx, tx, bus, window: PhantomData }
}

impl Plugged {
    pub fn find(&self) -> Result<Found, Fault> {
        let mut found = PchProbe::find(&self.bus, &Ask { index: 0, irq: 0, io: 0, pci: SLOT, taken: taken(&[]), media: 0, waits: false })?;
        if self.way == Way::Confined {
            (found.mem, found.io) = (0, PORTS);
        }
        Ok(found)
    }

    /// What is found of a part behind ports: the machine of the tests is in real mode.
    pub fn found(&self) -> Found {
        if self.way != Way::Confined {
            return self.find().expect("the card is there");
        }
        let open = plug_as(options(self.part, ""), Way::Shallow, 0);
        Found { mem: 0, io: PORTS, ..open.find().expect("the card is there") }
    }

    /// Starts the part; the line that the probe has seen.
    pub fn start(&self, found: &Found) -> Result<(Box<dyn Device>, u8), Fault> {
        let len = if self.way == Way::Deep { found.rings_xms } else { found.rings_low as u32 };
        self.bus.memory_mut()[RINGS as usize - 16..][..len as usize + 32].fill(0xDD);
        let mut card = PchProbe::start(self.bus.clone(), found, &Rings { linear: Addr(RINGS), physical: RINGS, len })?;
        let line = PchProbe::line(&self.bus, found, &mut card);
        let memory = self.bus.memory();
        assert!([RINGS - 16, RINGS + len].iter().all(|at| memory[*at as usize..][..16] == [0xDD; 16]), "only the rings' memory is written");
        drop(memory);
        let device: Box<dyn Device> =
            if self.way == Way::Confined { Box::new(resident::<Ports>(card)) } else { Box::new(resident::<Memory>(card)) };
        Ok((device, line))
    }

    pub fn put(&self, register: u16, value: u32) {
        self.bus.with_env(0, |env| self.card.borrow_mut().write(env, register, 4, value));
    }

    pub fn get(&self, register: u16) -> u32 {
        self.bus.with_env(0, |env| self.card.borrow_mut().read(env, register, 4))
    }

    pub fn fault(&self, faults: &str) {
        self.card.borrow_mut().faults = Faults::parse(faults).unwrap();
    }

    pub fn cable(&self, plugged: bool) {
        self.bus.with_env(0, |env| self.card.borrow_mut().set_link(env, plugged));
    }

    /// The I219 holds descriptors.
    pub fn holds(&self) -> bool {
        self.bus.config_read(SLOT, 0xE4) & 1 << 8 != 0
    }

    /// A register of the PHY, at address 2, or on a page at address 1.
    pub fn phy(&self, page: Option<u32>, register: u32, write: Option<u16>) -> u16 {
        let access = |word: u32| {
            self.put(0x20, word);
            self.bus.sleep(200);
            self.get(0x20) as u16
        };
        self.put(0xF00, self.get(0xF00) | 0x20);
        for _ in 0..100 {
            if self.get(0xF00) & 0x20 != 0 {
                break;
            }
            self.bus.sleep(1_000);
        }
        if let Some(page) = page {
            access(1 << 26 | 1 << 21 | 31 << 16 | page << 5);
        }
        let place = (if page.is_some() { 1 } else { 2 }) << 21 | register << 16;
        let value = access(write.map_or(2 << 26, |value| 1 << 26 | value as u32) | place);
        self.put(0xF00, self.get(0xF00) & !0x20);
        value
    }
}

/// A part with its driver.
pub struct Rig {
    pub plugged: Plugged,
    pub device: Box<dyn Device>,
    /// The line that the probe has seen.
    pub line: u8,
    pub name: &'static str,
}

pub fn rig_of(name: &'static str, options: Options, way: Way) -> Rig {
    let plugged = plug_as(options, way, 0);
    let (mut device, line) = plugged.start(&plugged.found()).unwrap_or_else(|fault| panic!("{name} {way:?}: {fault:?}"));
    assert!(!plugged.bus.line(IRQ), "{name}: quiet until it is unmasked");
    device.unmask();
    Rig { plugged, device, line, name }
}

/// A part whose link is up; the driver has been told.
pub fn rig(name: &'static str, part: Part, way: Way) -> Rig {
    let mut rig = rig_of(name, options(part, ""), way);
    rig.bus().sleep(LINK_US);
    assert_eq!(rig.serve(), Vec::<Vec<u8>>::new(), "{name} {way:?}");
    rig
}

/// Every part, in every way that it has.
pub fn all() -> impl Iterator<Item = (&'static str, Part, Way)> {
    // The 82579 is refused in V86 mode.
    let ways = |part: Part| if has_ports(part) && part.generation != Generation::Pch2 { &[Way::Deep, Way::Shallow, Way::Confined][..] } else { &[Way::Deep, Way::Shallow] };
    PARTS.into_iter().flat_map(move |(name, part)| ways(part).iter().map(move |way| (name, part, *way)))
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

    /// A frame comes, and is whole a moment later. False: the part did not take it.
    pub fn arrive(&self, frame: &[u8]) -> bool {
        let took = self.bus().receive(0, frame);
        self.bus().sleep(FRAME_US);
        took
    }

    /// Takes a frame; an empty one if it is bad.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let mut head: Head = [0; 24];
        let rx = self.device.peek(&mut head)?;
        if rx == Rx::USELESS {
            self.device.discard(rx);
            return Some(Vec::new());
        }
        let len = rx.len() as usize;
        self.device.copy(&job(CLIENT, len, &head));
        let bytes = self.bus().memory()[CLIENT..CLIENT + len].to_vec();
        assert_eq!(bytes[..24], head);
        self.device.discard(rx);
        Some(bytes)
    }

    /// Serves interrupts until none is requested; the frames.
    pub fn serve(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..1_000 {
            if !self.bus().take(IRQ) {
                return frames;
            }
            self.device.irq();
            while let Some(frame) = self.take() {
                frames.push(frame);
                assert!(frames.len() < 10_000, "frames without an end");
            }
            self.device.unmask();
        }
        panic!("{}: interrupts without an end", self.name);
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
        let name = self.name;
        self.bus().sent(0);
        for len in [60, 1514, 333] {
            let (came, out) = (frame(len, len as u32), frame(len, !(len as u32)));
            assert!(self.arrive(&came), "{name}: {len}");
            assert_eq!(self.serve(), [came], "{name}: {len}");
            assert_eq!(self.send(&out), Ok(()), "{name}: {len}");
            self.bus().sleep(FRAME_US);
            assert_eq!(self.bus().sent(0), [out], "{name}: {len}");
        }
        assert!(!self.arrive(&frame_to(PEER, 60, 1)), "{name}: the filter is as before");
        assert!(!self.bus().line(IRQ), "{name}");
    }
}
