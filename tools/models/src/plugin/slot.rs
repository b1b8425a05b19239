//! A card in QEMU: the model, its interrupt line and frames, its timer and its network queue.
//!
//! All code runs under QEMU's big lock, one call at a time. A call into the model records what the model wants outside; that is
//! done when the call has returned, because a network backend may answer within the call that sends.

use super::clock::Clock;
use super::ffi::{Opaque, qemu};
use super::log;
use crate::isa::Card;
use crate::{Env, Model};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;

/// QEMU's virtual clock.
const VIRTUAL: c_int = 1;
/// Bytes for one of QEMU's MemoryRegion objects; they have 272 bytes in 7.2.
pub const REGION_BYTES: usize = 2048;
/// Bytes for a timer, which has 48.
const TIMER_BYTES: usize = 256;

/// Zeroed memory that is never freed.
pub fn leak(bytes: usize) -> Opaque {
    Box::leak(vec![0u128; bytes.div_ceil(16)].into_boxed_slice()).as_mut_ptr().cast()
}

/// The card's place on its bus.
pub enum Place {
    /// ISA: regions of its blocks, and where they are mapped.
    Isa {
        /// Offset and region of each block.
        regions: RefCell<Vec<(u16, Opaque)>>,
        /// The base at which they are mapped.
        mapped: Cell<Option<u16>>,
    },
    /// PCI.
    Pci {
        /// Its configuration space, in QEMU's memory.
        config: *mut u8,
    },
}

/// The model.
pub enum Part {
    /// An ISA card.
    Isa(Box<dyn Card>),
    /// A PCI card.
    Pci(Box<dyn Model>),
}

impl Part {
    /// The model, for either bus.
    pub fn model(&mut self) -> &mut dyn Model {
        match self {
            Part::Isa(card) => card.as_mut(),
            Part::Pci(model) => model.as_mut(),
        }
    }
}

/// A card. The first field is for newer QEMUs, which take it for a re-entrancy guard.
#[repr(C)]
pub struct Slot {
    guard: Cell<u64>,
    /// QEMU's device object.
    pub device: Opaque,
    /// Its name in messages.
    pub name: String,
    /// The model.
    pub part: RefCell<Part>,
    /// Its bus.
    pub place: Place,
    /// The address space of its bus mastering.
    pub memory: Opaque,
    /// Its network queue; null without a backend.
    pub queue: Cell<Opaque>,
    timer: Opaque,
    clock: RefCell<Clock>,
    line: Cell<(u8, bool)>,
    starved: Cell<bool>,
}

/// The environment for one call into a model.
pub struct World<'a> {
    slot: &'a Slot,
    now: u64,
    lines: Vec<bool>,
    frames: Vec<Vec<u8>>,
    command: Option<u16>,
}

impl World<'_> {
    /// Whether the card may be bus master: on PCI, bit 2 of its command register.
    fn mastering(&mut self) -> bool {
        let allowed = self.slot.config(4).is_none_or(|command| command & 4 != 0);
        if !allowed {
            self.complain("bus mastering while the PCI command register forbids it");
        }
        allowed
    }

    /// Whether memory has answered: `result` is QEMU's, 0 for success.
    fn answered(&mut self, result: u32, does: &str, address: u32) {
        if result != 0 {
            self.complain(&format!("bus mastering {does} at {address:08X}, where there is no memory"));
        }
    }
}

impl Env for World<'_> {
    fn now_ns(&self) -> u64 {
        self.now
    }
    fn set_irq(&mut self, active: bool) {
        self.lines.push(active);
    }
    fn transmit(&mut self, frame: &[u8]) {
        self.frames.push(frame.to_vec());
    }
    fn dma_read(&mut self, address: u32, to: &mut [u8]) {
        if !self.mastering() {
            return;
        }
        // SAFETY: the buffer has the length that is given; QEMU's lock is held.
        let result = unsafe { (qemu().address_space_rw)(self.slot.memory, address as u64, 1, to.as_mut_ptr().cast(), to.len() as u64, false) };
        self.answered(result, "reads", address);
    }
    fn dma_write(&mut self, address: u32, from: &[u8]) {
        if !self.mastering() {
            return;
        }
        // SAFETY: the buffer has the length that is given, and a write only reads it; QEMU's lock is held.
        let result = unsafe { (qemu().address_space_rw)(self.slot.memory, address as u64, 1, from.as_ptr() as Opaque, from.len() as u64, true) };
        self.answered(result, "writes", address);
    }
    fn set_config(&mut self, at: u8, value: u16) {
        if let Place::Pci { config } = &self.slot.place {
            for (at, byte) in (at as usize..0x100).zip(value.to_le_bytes()) {
                // SAFETY: the configuration space has 256 bytes and lives as long as the device; QEMU's lock is held.
                unsafe { *config.add(at) = byte };
            }
        }
    }
    fn set_command(&mut self, value: u16) {
        self.command = Some(value);
    }
    fn asleep(&self) -> bool {
        super::pci::asleep(self.slot)
    }
    fn cascades(&self, channel: u8) -> bool {
        // QEMU's 8237 has a readable mask, unlike a real one; its modes cannot be read.
        let (port, bit) = if channel < 4 { (0x09, channel) } else { (0xD2, channel - 4) };
        let mut mask = 0u8;
        // SAFETY: the buffer has one byte; QEMU's lock is held.
        unsafe { (qemu().address_space_rw)(super::ffi::system_ports(), port, 1, (&raw mut mask).cast(), 1, false) };
        channel != 4 && mask >> bit & 1 == 0
    }
    fn complain(&mut self, what: &str) {
        log(&format!("MODEL COMPLAINS: {}: {what}", self.slot.name));
    }
}

unsafe extern "C" fn fire(opaque: Opaque) {
    // SAFETY: the opaque of a timer is its slot, which is never freed.
    let slot = unsafe { &*opaque.cast::<Slot>() };
    slot.with(|_, _| ());
}

impl Slot {
    /// Makes a card. `access_ns`: time of an access on its bus.
    pub fn new(device: Opaque, name: String, part: Part, place: Place, memory: Opaque, access_ns: u64) -> &'static Slot {
        let timer = leak(TIMER_BYTES);
        let slot: &'static Slot = Box::leak(Box::new(Slot {
            guard: Cell::new(0),
            device,
            name,
            part: RefCell::new(part),
            place,
            memory,
            queue: Cell::new(std::ptr::null_mut()),
            timer,
            clock: RefCell::new(Clock::new(access_ns)),
            line: Cell::new((0, false)),
            starved: Cell::new(false),
        }));
        // SAFETY: the timer's memory is larger than any QEMUTimer and lives for ever, as does the slot.
        unsafe { (qemu().timer_init_full)(timer, std::ptr::null_mut(), VIRTUAL, 1, 0, fire, slot.opaque()) };
        slot
    }

    /// The slot as an opaque for QEMU.
    pub fn opaque(&'static self) -> Opaque {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// QEMU's time.
    fn host(&self) -> u64 {
        // SAFETY: the clock can be read at any time.
        unsafe { (qemu().qemu_clock_get_ns)(VIRTUAL) as u64 }
    }

    /// The card's time.
    fn now(&self) -> u64 {
        self.clock.borrow().now(self.host())
    }

    /// A byte of the PCI configuration space; None on ISA.
    pub fn config(&self, at: usize) -> Option<u8> {
        match self.place {
            // SAFETY: the configuration space has 256 bytes and lives as long as the device.
            Place::Pci { config } => Some(unsafe { *config.add(at & 0xFF) }),
            Place::Isa { .. } => None,
        }
    }

    /// Counts the time of an access.
    pub fn accessed(&self) {
        self.clock.borrow_mut().accessed();
    }

    /// Calls into the model, then does what it has recorded. None: a call is in progress (the card's bus mastering has accessed
    /// its own registers).
    pub fn with<R>(&'static self, call: impl FnOnce(&mut Part, &mut World) -> R) -> Option<R> {
        let Ok(mut part) = self.part.try_borrow_mut() else {
            log(&format!("MODEL COMPLAINS: {}: it reached itself by bus mastering", self.name));
            return None;
        };
        let now = self.clock.borrow_mut().begin(self.host());
        let mut world = World { slot: self, now, lines: Vec::new(), frames: Vec::new(), command: None };
        part.model().poll(&mut world);
        let result = call(&mut part, &mut world);
        let World { lines, frames, command, .. } = world;
        let wake = self.clock.borrow_mut().end(self.host(), part.model().racing(), part.model().wake_at());
        let free = part.model().wire_free(self.now());
        let (base, line) = match &*part {
            Part::Isa(card) => (card.base(), card.line()),
            Part::Pci(_) => (None, 0),
        };
        drop(part);
        self.map(base);
        if let Some(command) = command {
            // SAFETY: the device is a PCI card; this function maps and unmaps its regions as the command register says.
            unsafe { (qemu().pci_default_write_config)(self.device, 4, command.into(), 2) };
        }
        for level in lines {
            self.drive(line, level);
        }
        if self.line.get().1 && self.line.get().0 != line {
            self.drive(line, true);
        }
        // SAFETY: timer and queue live as long as the slot.
        unsafe {
            match wake {
                Some(at) => (qemu().timer_mod_ns)(self.timer, at.min(i64::MAX as u64) as i64),
                None => (qemu().timer_del)(self.timer),
            }
            if !self.queue.get().is_null() {
                for frame in frames {
                    (qemu().qemu_send_packet)(self.queue.get(), frame.as_ptr(), frame.len() as c_int);
                }
                if free && self.starved.replace(false) {
                    (qemu().qemu_flush_queued_packets)(self.queue.get());
                }
            }
        }
        Some(result)
    }

    /// Whether a frame may come now. If not, the backend is told later when one may.
    pub fn ready(&'static self) -> bool {
        let now = self.now();
        let free = self.part.try_borrow_mut().is_ok_and(|mut part| part.model().wire_free(now));
        self.starved.set(!free);
        free
    }

    fn drive(&self, line: u8, level: bool) {
        let (old, was) = self.line.replace((line, level));
        // SAFETY: lines exist for the numbers 1 to 15; the device is on its bus.
        unsafe {
            match self.place {
                Place::Isa { .. } => {
                    if was && old != line && old != 0 {
                        (qemu().qemu_set_irq)((qemu().isa_get_irq)(self.device, old.into()), 0);
                    }
                    if line != 0 {
                        (qemu().qemu_set_irq)((qemu().isa_get_irq)(self.device, line.into()), level.into());
                    }
                }
                Place::Pci { .. } => (qemu().pci_set_irq)(self.device, level.into()),
            }
        }
    }

    /// Maps the card's blocks at its present base.
    fn map(&self, base: Option<u16>) {
        let Place::Isa { regions, mapped } = &self.place else { return };
        let old = mapped.replace(base);
        if old == base {
            return;
        }
        for (offset, region) in regions.borrow().iter() {
            // SAFETY: the regions were made with the card and are mapped exactly when `mapped` says so.
            unsafe {
                let ports = (qemu().get_system_io)();
                if old.is_some() {
                    (qemu().memory_region_del_subregion)(ports, *region);
                }
                if let Some(base) = base {
                    (qemu().memory_region_add_subregion_overlap)(ports, (base + offset) as u64, *region, 1);
                }
            }
        }
    }
}
