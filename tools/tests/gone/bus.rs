//! A bus on which the card is removed: after some access, every read returns the same.

use std::cell::Cell;
use std::rc::Rc;

use compkt::bus::{Addr, Bus, Far};
use compkt::device::Job;
use models::{Env, Model};
use tools::fake_bus::{FakeBus, MEMORY};
use tools::random::Random;

/// The most accesses of a driver's entry.
const LIMIT: u32 = 200_000;

/// What reads return after the removal.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// All bits are ones, otherwise zeros.
    pub ones: bool,
    /// The rings read so, too, as if they had been overwritten.
    pub rings: bool,
}

/// The fake bus, until the card is removed.
#[derive(Clone)]
pub struct Dying {
    pub bus: FakeBus,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    /// Accesses until the removal; None: no removal.
    left: Cell<Option<u32>>,
    gone: Cell<Option<Gone>>,
    accesses: Cell<u32>,
}

impl Dying {
    pub fn new(bus: FakeBus) -> Dying {
        Dying { bus, state: Rc::default() }
    }

    /// Removes the card after so many accesses from now on.
    pub fn go(&self, behind: u32, how: Gone) {
        self.state.left.set(Some(behind));
        self.state.gone.set(Some(how));
    }

    /// Whether the card is removed.
    pub fn is_gone(&self) -> bool {
        self.state.left.get() == Some(0)
    }

    /// Accesses since the last call.
    pub fn accesses(&self) -> u32 {
        self.state.accesses.take()
    }

    /// Counts an access; returns what it reads if the card is removed.
    fn access(&self, rings: bool) -> Option<u32> {
        let accesses = self.state.accesses.get() + 1;
        self.state.accesses.set(accesses);
        assert!(accesses < LIMIT, "an entry that does not end");
        let how = self.state.gone.get()?;
        match self.state.left.get()? {
            0 => (!rings || how.rings).then_some(if how.ones { u32::MAX } else { 0 }),
            left => {
                self.state.left.set(Some(left - 1));
                None
            }
        }
    }

    /// Whether the address is in the rings, not a register in memory.
    fn is_ring(at: Addr) -> bool {
        (at.0 as usize) < MEMORY
    }

    fn own(&self, to: &mut [u8], really: impl FnOnce(&mut [u8])) {
        match self.access(false) {
            Some(answer) => to.fill(answer as u8),
            None => really(to),
        }
    }
}

macro_rules! ports {
    ($($get:ident $put:ident $type:ty;)*) => { $(
        fn $get(&self, port: u16) -> $type {
            self.access(false).map_or_else(|| self.bus.$get(port), |answer| answer as $type)
        }
        fn $put(&self, port: u16, value: $type) {
            if self.access(false).is_none() {
                self.bus.$put(port, value);
            }
        }
    )* };
}
macro_rules! strings {
    ($($name:ident)*) => { $(
        fn $name(&self, port: u16, job: &Job) {
            if self.access(false).is_none() {
                self.bus.$name(port, job);
            }
        }
    )* };
}
macro_rules! owns {
    ($($name:ident)*) => { $(
        fn $name(&self, port: u16, to: &mut [u8]) {
            self.own(to, |to| self.bus.$name(port, to));
        }
    )* };
}
macro_rules! memory {
    ($($get:ident $type:ty;)*) => { $(
        fn $get(&self, at: Addr) -> $type {
            self.access(Self::is_ring(at)).map_or_else(|| self.bus.$get(at), |answer| answer as $type)
        }
    )* };
}
macro_rules! written {
    ($($put:ident $type:ty;)*) => { $(
        fn $put(&self, at: Addr, value: $type) {
            if self.access(Self::is_ring(at)).is_none() || Self::is_ring(at) {
                self.bus.$put(at, value);
            }
        }
    )* };
}

impl Bus for Dying {
    ports! { in8 out8 u8; in16 out16 u16; in32 out32 u32; }
    strings! { ins ins8 ins_fifo outs outs8 outs_fifo }
    owns! { ins32_own ins_own ins8_own }
    memory! { get8 u8; get16 u16; get32 u32; }
    written! { put8 u8; put16 u16; put32 u32; }

    fn swap16(&self, at: Addr, value: u16) -> u16 {
        let real = self.bus.swap16(at, value);
        self.access(true).map_or(real, |answer| answer as u16)
    }
    fn take(&self, from: Addr, to: Far, len: u16) {
        self.access(true);
        Bus::take(&self.bus, from, to, len);
    }
    fn give_frame(&self, to: Addr, job: &Job) {
        self.access(true);
        self.bus.give_frame(to, job);
    }
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        self.access(true);
        self.bus.give_own(from, to, len);
    }
    fn config_read(&self, place: u16, register: u8) -> u32 {
        self.bus.config_read(place, register)
    }
    fn config_write(&self, place: u16, register: u8, value: u32) {
        self.bus.config_write(place, register, value);
    }
    fn far_of(&self, bytes: *const u8) -> Far {
        self.bus.far_of(bytes)
    }
    // The clock is the machine's: it goes on.
    fn clock(&self) -> u16 {
        self.access(true);
        self.bus.clock()
    }
}

/// A card without a model: a register reads as it was last written, or at random.
pub struct Noise {
    random: Random,
    written: [u32; 0x100],
}

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise { random: Random::new(seed), written: [0; 0x100] }
    }
}

impl Model for Noise {
    fn read(&mut self, _: &mut dyn Env, offset: u16, width: u8) -> u32 {
        let value = match self.random.below(4) {
            0 => 0,
            1 => self.random.word(),
            2 => self.random.word() & self.random.word() & self.random.word(),
            _ => self.written[offset as usize & 0xFF],
        };
        value & u32::MAX >> (32 - 8 * width)
    }
    fn write(&mut self, _: &mut dyn Env, offset: u16, _: u8, value: u32) {
        self.written[offset as usize & 0xFF] = value;
    }
    fn receive(&mut self, _: &mut dyn Env, _: &[u8]) -> bool {
        false
    }
    fn set_link(&mut self, _: &mut dyn Env, _: bool) {}
    fn hard_reset(&mut self, _: &mut dyn Env) {}
}
