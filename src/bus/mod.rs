//! How drivers reach ports, memory and time.
//!
//! Drivers are generic over [`Bus`]: in the image it is the machine, in host tests a model behind a fake.

use crate::device::{Head, Job};

#[cfg(target_os = "none")]
pub mod either;
#[cfg(target_os = "none")]
pub mod flat;
#[cfg(target_os = "none")]
mod ports;
#[cfg(target_os = "none")]
pub mod real;

/// A 32-bit linear address, conventional or extended memory. It has no dereference: only a bus copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Addr(pub u32);

impl Addr {
    /// The address `bytes` further on.
    pub const fn plus(self, bytes: u16) -> Addr {
        Addr(self.0.wrapping_add(bytes as u32))
    }
}

/// A far address as it lies in memory: the offset in the low half, the segment in the high one. It has no dereference
/// either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Far(pub u32);

impl Far {
    /// This offset in this segment.
    pub const fn new(segment: u16, offset: u16) -> Far {
        Far((segment as u32) << 16 | offset as u32)
    }

    /// The address `bytes` further on, in the same segment unless it ends before: the HMA has no other.
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

/// A wait reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout;

/// Ports, memory and the clock. Every operation is whole: nothing is cached or reordered.
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

    /// Reads a frame (`job.len` bytes) from a 16-bit port to `job.at`: by words, an odd last byte by itself.
    fn ins(&self, port: u16, job: &Job);
    /// The same from an 8-bit port.
    fn ins8(&self, port: u16, job: &Job);
    /// Puts what has been read of a frame, `job.head`, and what is left of it in a FIFO of any width, to `job.at`.
    fn ins_fifo(&self, port: u16, job: &Job);
    /// Writes a frame to a 16-bit port: by words, an odd last byte with a zero above it.
    fn outs(&self, port: u16, job: &Job);
    /// The same to an 8-bit port.
    fn outs8(&self, port: u16, job: &Job);
    /// Writes a frame to a FIFO by whole double words, whatever lies behind it.
    fn outs_fifo(&self, port: u16, job: &Job);
    /// Reads bytes, a multiple of four, from a FIFO of any width to a place of the driver's own.
    fn ins32_own(&self, port: u16, to: &mut [u8]);
    /// Reads bytes, an even number, from a 16-bit port to a place of the driver's own.
    fn ins_own(&self, port: u16, to: &mut [u8]);
    /// The same from an 8-bit port, any number.
    fn ins8_own(&self, port: u16, to: &mut [u8]);

    /// Writes bytes of the driver's own, each to the port behind the one before.
    #[inline(always)]
    fn out_each(&self, first: u16, bytes: &[u8]) {
        for (port, byte) in (first..).zip(bytes) {
            self.out8(port, *byte);
        }
    }

    /// Are only the first megabyte and ports within reach, as in V86 mode? Known when a resident unit is compiled: a
    /// driver with rings is on the machine's own bus in V86 mode only.
    fn confined(&self) -> bool {
        false
    }
    /// Reads a byte of registers in memory.
    fn get8(&self, at: Addr) -> u8;
    /// Writes a byte of registers in memory.
    fn put8(&self, at: Addr, value: u8);
    /// Reads 16 bits of a ring or of registers in memory.
    fn get16(&self, at: Addr) -> u16;
    /// Reads 32 bits of a ring or of registers in memory.
    fn get32(&self, at: Addr) -> u32;
    /// Writes 16 bits of a ring or of registers in memory.
    fn put16(&self, at: Addr, value: u16);
    /// Writes 32 bits of a ring or of registers in memory.
    fn put32(&self, at: Addr, value: u32);
    /// Writes 16 bits of a ring and gives back what was there. What is read next is read after the device can see
    /// them: processors let reads overtake writes, and a device that looks at our flag while we look at its own must
    /// not be missed by both.
    fn swap16(&self, at: Addr, value: u16) -> u16;
    /// Copies `len` bytes from a ring to a client or to something of the driver's own ([`Bus::far_of`]).
    fn take(&self, from: Addr, to: Far, len: u16);
    /// Copies the first bytes of a frame from a ring to the driver's own head buffer.
    #[inline(always)]
    fn take_head(&self, from: Addr, head: &mut Head) {
        self.take(from, self.far_of(head.as_ptr()), head.len() as u16);
    }
    /// Copies `len` bytes from a client, or from something of the driver's own, to a ring.
    fn give(&self, from: Far, to: Addr, len: u16);
    /// Copies `len` bytes of something of the driver's own to a ring.
    #[inline(always)]
    fn give_own(&self, from: *const u8, to: Addr, len: u16) {
        self.give(self.far_of(from), to, len);
    }

    /// Reads 32 bits of a PCI function's configuration: `place` is bus in bits 15:8, device 7:3, function 2:0, and
    /// `register` a multiple of four. For probes only.
    fn config_read(&self, place: u16, register: u8) -> u32;
    /// Writes 32 bits of a PCI function's configuration. For probes only.
    fn config_write(&self, place: u16, register: u8, value: u32);

    /// The address of something of the driver's own (its head buffer, a field), for the copies above.
    fn far_of(&self, bytes: *const u8) -> Far;

    /// PIT counter 0, latched: counts down at 1.19 MHz in mode 2 and at twice that in mode 3, as most BIOSes set it.
    fn clock(&self) -> u16;

    /// Waits until `done` says so, at most `limit_us` microseconds (1 to 25,000; twice that where the BIOS runs the
    /// PIT in mode 2). The only loop on a register but for [`Bus::poll`].
    fn wait(&self, limit_us: u16, mut done: impl FnMut() -> bool) -> Result<(), Timeout>
    where
        Self: Sized,
    {
        // 2.386 counts a microsecond in mode 3. The poll count is a second limit, for machines whose PIT stands still.
        let limit = (limit_us as u32 * 39 / 16) as u16;
        let start = self.clock();
        for _ in 0..u16::MAX {
            // First the time: after a long pause (an SMI, a busy host) the last look comes after the limit.
            let now = self.clock();
            if done() {
                return Ok(());
            }
            if start.wrapping_sub(now) >= limit {
                break;
            }
        }
        Err(Timeout)
    }

    /// The same without a clock, for a register of which the bus makes each reading take its time: looks at most `polls`
    /// times.
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

/// A limited wait, for those whose loop is more than [`Bus::wait`].
pub struct Timer {
    last: u16,
    passed: u16,
    polls: u16,
}

impl Timer {
    /// Begins now.
    pub fn new(bus: &impl Bus) -> Timer {
        Timer { last: bus.clock(), passed: 0, polls: 0 }
    }

    /// Have `limit_us` microseconds (1 to 25,000) gone by? To be asked at least every 27 ms. The number of polls is a
    /// second limit, for machines whose PIT stands still.
    #[inline(never)]
    pub fn over<B: Bus>(&mut self, bus: &B, limit_us: u16) -> bool {
        let now = bus.clock();
        let passed = self.last.wrapping_sub(now);
        self.last = now;
        self.passed = self.passed.saturating_add(passed);
        self.polls = self.polls.wrapping_add(1);
        // 2.386 counts a microsecond in mode 3.
        self.passed as u32 >= limit_us as u32 * 39 / 16 || self.polls == u16::MAX
    }
}
