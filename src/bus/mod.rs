//! How drivers reach ports, memory and the clock: the trait [`Bus`].
//!
//! Drivers are generic over it. On DOS the bus is the machine; in host tests it is a fake with a model of the card.

use crate::device::{Head, Job};
use crate::drivers::undi::Rom;

#[cfg(target_os = "none")]
pub mod either;
#[cfg(target_os = "none")]
pub mod flat;
#[cfg(target_os = "none")]
mod ports;
#[cfg(target_os = "none")]
pub mod real;

/// A 32-bit linear address in conventional or extended memory. It cannot be dereferenced: only a bus copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Addr(pub u32);

impl Addr {
    /// The address `bytes` higher.
    pub const fn plus(self, bytes: u16) -> Addr {
        Addr(self.0.wrapping_add(bytes as u32))
    }
}

/// A far address as it lies in memory: offset in the low half, segment in the high half. It cannot be dereferenced
/// either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Far(pub u32);

impl Far {
    /// The address of an offset in a segment.
    pub const fn new(segment: u16, offset: u16) -> Far {
        Far((segment as u32) << 16 | offset as u32)
    }

    /// The address `bytes` higher. The segment changes only if the offset would pass its end: the HMA is reached by one
    /// segment only.
    pub fn plus(self, bytes: u16) -> Far {
        let (offset, ended) = (self.0 as u16).overflowing_add(bytes);
        let segment = (self.0 >> 16) as u16;
        Far::new(if ended { segment.wrapping_add(0x1000) } else { segment }, offset)
    }

    /// The linear address.
    pub const fn linear(self) -> Addr {
        Addr((self.0 >> 16 << 4) + (self.0 as u16) as u32)
    }
}

/// A wait has reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout;

/// Ports, memory and the clock. Each access is one access of that width: none is cached, split or reordered.
pub trait Bus {
    /// Reads a byte port.
    fn in8(&self, port: u16) -> u8;
    /// Reads a 16-bit port.
    fn in16(&self, port: u16) -> u16;
    /// Reads a 32-bit port.
    fn in32(&self, port: u16) -> u32;
    /// Writes a byte port.
    fn out8(&self, port: u16, value: u8);
    /// Writes a 16-bit port.
    fn out16(&self, port: u16, value: u16);
    /// Writes a 32-bit port.
    fn out32(&self, port: u16, value: u32);

    /// Reads a frame (`job.len` bytes) from a 16-bit port to `job.at`, by words; the last byte of an odd length as a byte.
    ///
    /// In all methods for frames `job` is the one that the core gave to [`crate::device::Device::copy`] or `send`, and no
    /// other. On the machine it lies at a fixed place in the core, where asm/strings.asm reads it, so that no driver has to load
    /// its address. The bus of host tests has no such place and reads the argument.
    fn ins(&self, port: u16, job: &Job);
    /// The same from an 8-bit port.
    fn ins8(&self, port: u16, job: &Job);
    /// Reads a frame from a FIFO of any width to `job.at`: first the bytes that have been read to `job.head`, then the rest
    /// from the FIFO.
    fn ins_fifo(&self, port: u16, job: &Job);
    /// Writes a frame to a 16-bit port, by words; the last byte of an odd length with a zero as high byte.
    fn outs(&self, port: u16, job: &Job);
    /// The same to an 8-bit port.
    fn outs8(&self, port: u16, job: &Job);
    /// Writes a frame to a FIFO by double words. The bytes that fill the last one are undefined.
    fn outs_fifo(&self, port: u16, job: &Job);
    /// Reads bytes, a multiple of four, from a FIFO of any width into the driver's own memory.
    fn ins32_own(&self, port: u16, to: &mut [u8]);
    /// Reads an even number of bytes from a 16-bit port into the driver's own memory.
    fn ins_own(&self, port: u16, to: &mut [u8]);
    /// Reads any number of bytes from an 8-bit port into the driver's own memory.
    fn ins8_own(&self, port: u16, to: &mut [u8]);

    /// Writes bytes to consecutive ports, one byte each.
    #[inline(always)]
    fn out_each(&self, first: u16, bytes: &[u8]) {
        for (port, byte) in (first..).zip(bytes) {
            self.out8(port, *byte);
        }
    }

    /// Whether only ports and the first megabyte can be reached, as in V86 mode. In a resident unit this is a constant: a
    /// driver with rings is compiled for [`real::Machine`] only for V86 mode.
    fn confined(&self) -> bool {
        false
    }
    /// Reads 8 bits of a register in memory.
    fn get8(&self, at: Addr) -> u8;
    /// Writes 8 bits of a register in memory.
    fn put8(&self, at: Addr, value: u8);
    /// Reads 16 bits of a ring or of a register in memory.
    fn get16(&self, at: Addr) -> u16;
    /// Reads 32 bits of a ring or of a register in memory.
    fn get32(&self, at: Addr) -> u32;
    /// The same at `OFFSET` behind `base`. In a loop it needs no register for the sum.
    #[inline(always)]
    fn get32_at<const OFFSET: u16>(&self, base: Addr) -> u32 {
        self.get32(base.plus(OFFSET))
    }
    /// Writes 16 bits of a ring or of a register in memory.
    fn put16(&self, at: Addr, value: u16);
    /// Writes 32 bits of a ring or of a register in memory.
    fn put32(&self, at: Addr, value: u32);
    /// Writes 16 bits of a ring and returns what was there. A read after this is made when the device can see the written
    /// bits. That matters where the device reads a flag of the driver's and the driver one of the device's: a processor
    /// may let a read overtake a write, and then each side could miss the other's flag.
    fn swap16(&self, at: Addr, value: u16) -> u16;
    /// Copies `len` bytes from a ring to a client or to the driver's own memory ([`Bus::far_of`]).
    fn take(&self, from: Addr, to: Far, len: u16);
    /// Copies the first bytes of a frame from a ring to `head`.
    #[inline(always)]
    fn take_head(&self, from: Addr, head: &mut Head) {
        self.take(from, self.far_of(head.as_ptr()), head.len() as u16);
    }
    /// Copies a frame (`job.len` bytes) from a ring to `job.at`. `job` as above.
    #[inline(always)]
    fn take_frame(&self, from: Addr, job: &Job) {
        self.take(from, job.at, job.len);
    }
    /// Copies a frame (`job.len` bytes) from `job.at` to a ring. `job` as above.
    fn give_frame(&self, to: Addr, job: &Job);
    /// Copies `len` bytes of the driver's own memory to a ring.
    fn give_own(&self, from: *const u8, to: Addr, len: u16);

    /// Reads 32 bits of a PCI function's configuration: `place` is bus in bits 15:8, device 7:3, function 2:0, and
    /// `register` a multiple of four. For probes only.
    fn config_read(&self, place: u16, register: u8) -> u32;
    /// Writes 32 bits of a PCI function's configuration. For probes only.
    fn config_write(&self, place: u16, register: u8, value: u32);

    /// The far address of the driver's own memory, for the copies above.
    fn far_of(&self, bytes: *const u8) -> Far;

    /// Counter 0 of the PIT, latched. It counts down at 1.19 MHz in mode 2 and at twice that in mode 3, which most BIOSes
    /// set.
    fn clock(&self) -> u16;

    /// Calls a network driver in a ROM (asm/rom.asm); its answer, 0: success. A bus that has no ROM answers with an error.
    fn rom_call(&self, _rom: &mut Rom, _opcode: u16) -> u16 {
        u16::MAX
    }
    /// The top of memory in units of 64 KB, if there is an XMS driver; otherwise 0. For probes only.
    fn xms_top(&self) -> u16 {
        0
    }
    /// The driver's memory is not to be freed when it is unloaded, because the ROM has kept an interrupt. Nothing in a probe.
    fn keep_memory(&self) {}
    /// Writes to the console. Only a unit that starts a card may do so.
    fn tell(&self, _text: &str) {}

    /// Waits until `done` is true, for at most `limit_us` microseconds: 1 to 25,000, and twice as long where the BIOS runs
    /// the PIT in mode 2. No other loop but [`Bus::wait_briefly`] and [`Bus::poll`] reads a register.
    fn wait(&self, limit_us: u16, mut done: impl FnMut() -> bool) -> Result<(), Timeout>
    where
        Self: Sized,
    {
        let start = self.clock();
        for _ in 0..POLLS {
            if let Some(end) = self.ended(start, limit_us, &mut done) {
                return end;
            }
        }
        Err(Timeout)
    }

    /// The same for resident code, in fewer bytes: for an event, not for a pause, because it ends after 65,535 polls, too. They
    /// take 4 milliseconds in QEMU on a fast host, 65 and more on a machine.
    fn wait_briefly(&self, limit_us: u16, mut done: impl FnMut() -> bool) -> Result<(), Timeout>
    where
        Self: Sized,
    {
        let start = self.clock();
        for _ in 0..u16::MAX {
            if let Some(end) = self.ended(start, limit_us, &mut done) {
                return end;
            }
        }
        Err(Timeout)
    }

    /// One poll of a wait that began at `start`: how it ended, if it did.
    #[inline(always)]
    fn ended(&self, start: u16, limit_us: u16, done: &mut impl FnMut() -> bool) -> Option<Result<(), Timeout>>
    where
        Self: Sized,
    {
        let limit = counts(limit_us) as u16;
        // The clock is read first: after a long pause (an SMI, a busy host) `done` is asked once more after the limit.
        let now = self.clock();
        if done() {
            return Some(Ok(()));
        }
        if start.wrapping_sub(now) >= limit { Some(Err(Timeout)) } else { None }
    }

    /// The same without the clock: asks `done` at most `polls` times. For a register whose reads take a known time on the
    /// bus.
    #[inline(always)]
    fn poll(&self, polls: u16, mut done: impl FnMut() -> bool) -> Result<(), Timeout>
    where
        Self: Sized,
    {
        for _ in 0..polls {
            if done() {
                return Ok(());
            }
        }
        Err(Timeout)
    }
}

/// Counts of the PIT in so many microseconds, in mode 3: 2.386 in one, and a little more.
#[inline(always)]
const fn counts(us: u16) -> u32 {
    us as u32 * 39 / 16
}

/// The most polls of a wait, because some PIT may stand still. Where it runs, the longest wait (50 ms) must end first, also in
/// QEMU on a fast host, where a poll takes 60 ns. Polls of a machine take a microsecond and more.
const POLLS: u32 = 1 << 20;

/// A wait with a limit, for loops that do more than [`Bus::wait`].
pub struct Timer {
    last: u16,
    passed: u16,
    polls: u32,
}

impl Timer {
    /// Begins the wait now.
    pub fn new(bus: &impl Bus) -> Timer {
        Timer { last: bus.clock(), passed: 0, polls: 0 }
    }

    /// Whether `limit_us` microseconds (1 to 25,000) have passed. Must be called at least every 27 ms, because the PIT
    /// wraps. The number of polls is a second limit: some PIT may stand still.
    #[inline(never)]
    pub fn over<B: Bus>(&mut self, bus: &B, limit_us: u16) -> bool {
        let now = bus.clock();
        let passed = self.last.wrapping_sub(now);
        self.last = now;
        self.passed = self.passed.saturating_add(passed);
        self.polls += 1;
        self.passed as u32 >= counts(limit_us) || self.polls >= POLLS
    }
}
