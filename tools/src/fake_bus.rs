//! A machine for host tests: a [`compkt::bus::Bus`] over models of NICs, with memory, two interrupt controllers and a clock.
//!
//! Cards are plugged in at ranges of addresses ([`Place`]). A complaint of a model is a panic, and so is an access outside of
//! memory. Time advances with each access only.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;

use compkt::bus::{Addr, Far};
use compkt::device::{Head, Job};
use compkt::drivers::undi::Rom;
use compkt::probe::TAKEN;
use models::isa::Card;
use models::{Env, Model};

mod bus;
mod isa;

/// Bytes of memory, from address 0.
pub const MEMORY: usize = 1 << 21;
/// Time of an access to a port, in nanoseconds.
const ACCESS_NS: u64 = 1_000;
/// Segments from here on stand for the driver's own memory; no client's memory is there.
const OWN: u16 = 0xE000;
/// Number of such segments that are valid at a time.
const OWN_SEGMENTS: usize = 64;

/// The addresses of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Ports: the first and how many.
    Ports(u16, u16),
    /// Memory: the first address and how many bytes.
    Memory(u32, u32),
}

impl Place {
    fn offset(self, space: Place) -> Option<u16> {
        let (base, len, at) = match (self, space) {
            (Place::Ports(base, len), Place::Ports(at, _)) => (base as u32, len as u32, at as u32),
            (Place::Memory(base, len), Place::Memory(at, _)) => (base, len, at),
            _ => return None,
        };
        at.checked_sub(base).filter(|offset| *offset < len).map(|offset| offset as u16)
    }
}

/// A PCI function's configuration space.
pub struct PciFunction {
    /// Bus in bits 15:8, device 7:3, function 2:0.
    pub place: u16,
    /// The registers.
    pub config: [u8; 256],
    /// The writable bits of these.
    pub writable: [u8; 256],
}

/// A card that is plugged in.
struct Slot {
    model: Rc<RefCell<dyn Model>>,
    /// The same model, for an ISA card whose ports move.
    card: Option<Rc<RefCell<dyn Card>>>,
    places: Vec<Place>,
    irq: u8,
    sent: VecDeque<Vec<u8>>,
}

/// An 8259A: edge-triggered, without priorities.
#[derive(Default)]
struct Pic {
    request: u8,
    service: u8,
    mask: u8,
    lines: u8,
    read_service: bool,
}

struct Machine {
    memory: Vec<u8>,
    now_ns: u64,
    slots: Vec<Slot>,
    pics: [Pic; 2],
    dma: isa::Dma,
    pci: Vec<PciFunction>,
    pci_address: u32,
    own: VecDeque<(u16, *mut u8)>,
    next_own: u16,
    writes: Vec<u16>,
    taken: Vec<u8>,
    cpu_takes: bool,
    /// Events that a test has planned, and the accesses before each.
    planned: Vec<(u32, Event)>,
    rom: Option<RomCall>,
}

/// What a ROM does when it is called.
type RomCall = Box<dyn FnMut(&FakeBus, &mut Rom, u16) -> u16>;

/// An event outside of the driver.
type Event = Box<dyn FnOnce(&FakeBus)>;

/// The machine, as a model sees it.
struct World<'a> {
    now_ns: u64,
    memory: &'a mut [u8],
    sent: &'a mut VecDeque<Vec<u8>>,
    lines: Vec<bool>,
    /// DMA channels in cascade mode and not masked, a bit each.
    cascades: u8,
    /// Words that the card has changed in its configuration space.
    config: Vec<(u8, u16)>,
}

impl Env for World<'_> {
    fn now_ns(&self) -> u64 {
        self.now_ns
    }
    fn set_irq(&mut self, active: bool) {
        self.lines.push(active);
    }
    fn transmit(&mut self, frame: &[u8]) {
        self.sent.push_back(frame.to_vec());
    }
    fn dma_read(&mut self, address: u32, to: &mut [u8]) {
        to.copy_from_slice(&self.memory[address as usize..][..to.len()]);
    }
    fn dma_write(&mut self, address: u32, from: &[u8]) {
        self.memory[address as usize..][..from.len()].copy_from_slice(from);
    }
    fn cascades(&self, channel: u8) -> bool {
        channel != 4 && self.cascades >> channel & 1 != 0
    }
    fn set_config(&mut self, at: u8, value: u16) {
        self.config.push((at, value));
    }
    fn complain(&mut self, what: &str) {
        panic!("model: {what}");
    }
}

impl Machine {
    /// Calls a card's model, and updates its interrupt line.
    fn act<T>(&mut self, slot: usize, action: impl FnOnce(&mut dyn Model, &mut dyn Env) -> T) -> T {
        let model = self.slots[slot].model.clone();
        self.with_env(slot, |env| action(&mut *model.borrow_mut(), env))
    }

    fn with_env<T>(&mut self, slot: usize, action: impl FnOnce(&mut dyn Env) -> T) -> T {
        let card = &mut self.slots[slot];
        let cascades = self.dma.free();
        let mut world = World { now_ns: self.now_ns, memory: &mut self.memory, sent: &mut card.sent, lines: Vec::new(), cascades, config: Vec::new() };
        let result = action(&mut world);
        let (lines, config) = (world.lines, world.config);
        let irq = card.card.as_ref().map_or(card.irq, |card| card.borrow().line());
        // Tests with such a card add its function as the card's number says.
        if let Some(function) = self.pci.get_mut(slot) {
            config.into_iter().for_each(|(at, value)| function.config[at as usize..][..2].copy_from_slice(&value.to_le_bytes()));
        }
        // The model may have no line yet.
        for active in lines.into_iter().filter(|_| irq != 0) {
            self.set_line(irq, active);
        }
        result
    }

    fn set_line(&mut self, irq: u8, active: bool) {
        let (pic, bit) = (&mut self.pics[irq as usize >> 3], 1 << (irq & 7));
        if active && pic.lines & bit == 0 {
            pic.request |= bit;
            pic.lines |= bit;
        } else if !active {
            // An 8259A forgets a request whose line falls before the acknowledge.
            pic.request &= !bit;
            pic.lines &= !bit;
        }
        if self.cpu_takes && pic.request & !pic.mask & bit != 0 {
            pic.request &= !bit;
            self.taken.push(irq);
        }
    }

    fn pass(&mut self, ns: u64) {
        self.now_ns += ns;
        for slot in 0..self.slots.len() {
            self.act(slot, |model, env| model.poll(env));
        }
    }

    fn find(&self, at: Place) -> Option<(usize, u16)> {
        let fixed = self.slots.iter().enumerate().find_map(|(index, slot)| {
            slot.places.iter().find_map(|place| place.offset(at)).map(|offset| (index, offset))
        });
        match at {
            Place::Ports(port, _) => fixed.or_else(|| self.find_isa(port)),
            Place::Memory(..) => fixed,
        }
    }

    fn pci_register(&mut self, port: u16) -> Option<(&mut PciFunction, usize)> {
        let address = self.pci_address;
        let place = (address >> 8) as u16;
        let function = self.pci.iter_mut().find(|function| function.place == place)?;
        (address >> 31 != 0).then_some((function, (address & 0xFC) as usize + (port & 3) as usize))
    }

    fn read(&mut self, port: u16, width: u8) -> u32 {
        self.pass(ACCESS_NS);
        if let Some(line) = self.read_shared(port) {
            return line as u32;
        }
        if let Some((slot, offset)) = self.find(Place::Ports(port, 0)) {
            return self.act(slot, |model, env| model.read(env, offset, width));
        }
        match port {
            0x20 | 0xA0 => {
                let pic = &self.pics[(port >> 7) as usize];
                (if pic.read_service { pic.service } else { pic.request }) as u32
            }
            0x21 | 0xA1 => self.pics[(port >> 7) as usize].mask as u32,
            0xCF8 if width == 4 => self.pci_address,
            0xCFC..=0xCFF => match self.pci_register(port) {
                Some((function, at)) => {
                    (0..width as usize).rev().fold(0, |value, byte| value << 8 | function.config[at + byte] as u32)
                }
                None => u32::MAX >> (32 - 8 * width),
            },
            // No device answers: all ones.
            _ => u32::MAX >> (32 - 8 * width),
        }
    }

    fn write(&mut self, port: u16, width: u8, value: u32) {
        self.pass(ACCESS_NS);
        self.writes.push(port);
        if self.write_shared(port, value as u8) {
            return;
        }
        if let Some((slot, offset)) = self.find(Place::Ports(port, 0)) {
            return self.act(slot, |model, env| model.write(env, offset, width, value));
        }
        match port {
            0x20 | 0xA0 => {
                let pic = &mut self.pics[(port >> 7) as usize];
                match value {
                    0x0A | 0x0B => pic.read_service = value & 1 != 0,
                    0x20 => pic.service &= pic.service.wrapping_sub(1),
                    0x60..=0x67 => pic.service &= !(1 << (value & 7)),
                    _ => panic!("interrupt controller: {value:02X}h to port {port:02X}h"),
                }
            }
            0x21 | 0xA1 => self.pics[(port >> 7) as usize].mask = value as u8,
            0x0A | 0x0B | 0xD4 | 0xD6 => self.dma.write(port, value as u8),
            0xCF8 if width == 4 => self.pci_address = value,
            0xCFC..=0xCFF => {
                if let Some((function, at)) = self.pci_register(port) {
                    for (byte, new) in value.to_le_bytes().into_iter().take(width as usize).enumerate() {
                        let mask = function.writable[at + byte];
                        let old = function.config[at + byte];
                        function.config[at + byte] = old & !mask | new & mask;
                    }
                }
            }
            _ => {}
        }
    }

    /// Copies from memory.
    fn load(&self, at: Addr, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.memory[at.0 as usize..][..bytes.len()]);
    }

    fn store(&mut self, at: Addr, bytes: &[u8]) {
        self.memory[at.0 as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Copies from a client or from the driver's own memory.
    fn fetch(&self, from: Far, bytes: &mut [u8]) {
        match self.own(from) {
            // SAFETY: the driver gave the pointer to `far_of` for this transfer, and the length of its buffer.
            Some(pointer) => unsafe { pointer.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) },
            None => self.load(from.linear(), bytes),
        }
    }

    fn deliver(&mut self, to: Far, bytes: &[u8]) {
        match self.own(to) {
            // SAFETY: as in `fetch`; the driver gave the address of a buffer that may be written.
            Some(pointer) => unsafe { pointer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) },
            None => self.store(to.linear(), bytes),
        }
    }

    fn own(&self, at: Far) -> Option<*mut u8> {
        let segment = (at.0 >> 16) as u16;
        (segment >= OWN).then(|| {
            let known = self.own.iter().find(|(base, _)| *base == segment);
            let (_, pointer) = known.expect("an address of the driver's own that is in use no more");
            pointer.wrapping_add(at.0 as u16 as usize)
        })
    }
}

/// The machine. Clones are the same machine.
#[derive(Clone)]
pub struct FakeBus(Rc<RefCell<Machine>>);

/// [`compkt::probe::Ask::taken`] when other copies of the driver have cards at these ports.
pub fn taken(ports: &[u16]) -> &'static [u16; TAKEN] {
    let mut all = [0; TAKEN];
    all[..ports.len()].copy_from_slice(ports);
    Box::leak(Box::new(all))
}

/// A job with a buffer of `len` bytes at an address (below 896 KB) of the machine's memory; `head` as from `peek`.
pub fn job(at: usize, len: usize, head: &Head) -> Job {
    Job { at: Far::new((at >> 4) as u16, at as u16 & 15), len: len as u16, head: *head, ..Job::default() }
}

impl Default for FakeBus {
    fn default() -> Self {
        FakeBus::new()
    }
}

impl FakeBus {
    /// A machine without cards. All interrupts but the timer, keyboard and cascade are masked.
    pub fn new() -> FakeBus {
        let pic = |mask| Pic { mask, ..Pic::default() };
        FakeBus(Rc::new(RefCell::new(Machine {
            memory: vec![0; MEMORY],
            now_ns: 0,
            slots: Vec::new(),
            pics: [pic(0xF8), pic(0xFF)],
            dma: isa::Dma::new(),
            pci: Vec::new(),
            pci_address: 0,
            own: VecDeque::new(),
            next_own: OWN,
            writes: Vec::new(),
            taken: Vec::new(),
            cpu_takes: false,
            planned: Vec::new(),
            rom: None,
        })))
    }

    /// Plugs a card in; returns its number. The caller keeps a clone of the model for accesses that only a test may make.
    pub fn plug(&self, model: Rc<RefCell<dyn Model>>, places: &[Place], irq: u8) -> usize {
        let mut machine = self.0.borrow_mut();
        machine.slots.push(Slot { model, card: None, places: places.to_vec(), irq, sent: VecDeque::new() });
        machine.slots.len() - 1
    }

    /// Adds a PCI function to the configuration space.
    pub fn add_pci(&self, function: PciFunction) {
        self.0.borrow_mut().pci.push(function);
    }

    /// Lets a frame arrive at a card. False: the card did not take it.
    pub fn receive(&self, card: usize, frame: &[u8]) -> bool {
        self.0.borrow_mut().act(card, |model, env| model.receive(env, frame))
    }

    /// Calls `action` with the world of a card, for what the trait of models has no method for.
    pub fn with_env<T>(&self, card: usize, action: impl FnOnce(&mut dyn Env) -> T) -> T {
        self.0.borrow_mut().with_env(card, action)
    }

    /// Sets what a ROM does when the driver calls it.
    pub fn on_rom_call(&self, call: impl FnMut(&FakeBus, &mut Rom, u16) -> u16 + 'static) {
        self.0.borrow_mut().rom = Some(Box::new(call));
    }

    /// Plans an event after the driver's `accesses`-th (1: the next) access to a port or to memory, such as a frame that comes
    /// between two accesses. A string operation is one access.
    pub fn after(&self, accesses: u32, event: impl FnOnce(&FakeBus) + 'static) {
        self.0.borrow_mut().planned.push((accesses, Box::new(event)));
    }

    /// Whether a planned event has not happened yet.
    pub fn awaits(&self) -> bool {
        !self.0.borrow().planned.is_empty()
    }

    /// Ends an access of the driver: makes events happen that are planned for this time.
    fn accessed(&self) {
        let due = {
            let planned = &mut self.0.borrow_mut().planned;
            planned.iter_mut().for_each(|(left, _)| *left -= 1);
            planned.extract_if(.., |(left, _)| *left == 0).collect::<Vec<_>>()
        };
        due.into_iter().for_each(|(_, event)| event(self));
    }

    /// The frames that a card has sent since the last call.
    pub fn sent(&self, card: usize) -> Vec<Vec<u8>> {
        self.0.borrow_mut().slots[card].sent.drain(..).collect()
    }

    /// Lets time pass, in steps of a microsecond.
    pub fn sleep(&self, us: u64) {
        for _ in 0..us {
            self.0.borrow_mut().pass(1_000);
        }
    }

    /// Nanoseconds since the start.
    pub fn now_ns(&self) -> u64 {
        self.0.borrow().now_ns
    }

    /// Whether an interrupt is requested on a line.
    pub fn requested(&self, irq: u8) -> bool {
        self.0.borrow().pics[irq as usize >> 3].request & 1 << (irq & 7) != 0
    }

    /// Takes a requested interrupt as a processor does; returns whether there was one. The next one needs a new edge.
    pub fn take(&self, irq: u8) -> bool {
        let pic = &mut self.0.borrow_mut().pics[irq as usize >> 3];
        let bit = 1 << (irq & 7);
        let requested = pic.request & bit != 0;
        pic.request &= !bit;
        requested
    }

    /// Whether an interrupt line is high now.
    pub fn line(&self, irq: u8) -> bool {
        self.0.borrow().pics[irq as usize >> 3].lines & 1 << (irq & 7) != 0
    }

    /// The masks of both interrupt controllers, the second in the high byte.
    pub fn masks(&self) -> u16 {
        let machine = self.0.borrow();
        u16::from_le_bytes([machine.pics[0].mask, machine.pics[1].mask])
    }

    /// Sets the masks of both interrupt controllers; with `cpu_takes`, an unmasked interrupt is taken at once.
    pub fn set_masks(&self, masks: u16, cpu_takes: bool) {
        let mut machine = self.0.borrow_mut();
        [machine.pics[0].mask, machine.pics[1].mask] = masks.to_le_bytes();
        machine.cpu_takes = cpu_takes;
    }

    /// The interrupts that were taken at once so far.
    pub fn taken(&self) -> Vec<u8> {
        self.0.borrow().taken.clone()
    }

    /// The ports written since the last call, in order; each access of a string operation counts.
    pub fn writes(&self) -> Vec<u16> {
        std::mem::take(&mut self.0.borrow_mut().writes)
    }

    /// The memory, for reading.
    pub fn memory(&self) -> Ref<'_, [u8]> {
        Ref::map(self.0.borrow(), |machine| &machine.memory[..])
    }

    /// The memory, for writing.
    pub fn memory_mut(&self) -> RefMut<'_, [u8]> {
        RefMut::map(self.0.borrow_mut(), |machine| &mut machine.memory[..])
    }
}
