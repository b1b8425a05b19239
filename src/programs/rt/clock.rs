//! Time: the BIOS's tick count for time-outs, the PIT for shorter times.

use super::{Far, uninterrupted};
use core::arch::asm;

/// The low half of the BIOS's tick count, which has 18.2 ticks a second.
pub fn ticks() -> u16 {
    // The count is read byte by byte, so no tick may come between.
    uninterrupted(|| Far::new(0x40, 0x6C).read16())
}

/// The end of a time-out.
#[derive(Clone, Copy)]
pub struct Deadline {
    start: u16,
    length: u16,
}

impl Deadline {
    /// `length` BIOS ticks (55 ms each) from now.
    pub fn after(length: u16) -> Deadline {
        Deadline { start: ticks(), length }
    }

    /// Whether the time is over. At midnight, when the count restarts, it may be over too early.
    pub fn over(&self) -> bool {
        ticks().wrapping_sub(self.start) >= self.length
    }
}

/// Halts the processor until the next interrupt, a timer tick at the latest: an emulator that waits takes no time of its host.
/// Returns at once if interrupts are off.
pub fn rest() {
    unsafe extern "C" {
        fn halt();
    }
    // SAFETY: it changes nothing. A memory manager or monitor in V86 mode may skip HLT; then this returns at once.
    unsafe { halt() };
}

/// Waits until `done` is true, for at most `ticks`; returns whether it is. `done` is asked after each interrupt.
pub fn wait(ticks: u16, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Deadline::after(ticks);
    loop {
        if done() {
            return true;
        }
        // `done` is asked once more after the limit: after a pause of the host, ticks and events come at once.
        if deadline.over() {
            return done();
        }
        rest();
    }
}

/// PIT counter 0, latched.
fn counter() -> u16 {
    let count: u16;
    // SAFETY: the latch command changes no counter, and both bytes are read.
    unsafe {
        asm!("out 0x43, al", "in al, 0x40", "mov ah, al", "in al, 0x40", "xchg al, ah",
            inlateout("ax") 0u16 => count, options(nomem, nostack));
    }
    count
}

/// Counter 0's status, by the read-back command.
fn status() -> u8 {
    let status: u8;
    // SAFETY: reading the status back changes no counter, and its one byte is read.
    unsafe { asm!("out 0x43, al", "in al, 0x40", inlateout("al") 0xE2u8 => status, options(nomem, nostack)) };
    status
}

/// A stopwatch. It must be read at least every 27 ms, because the counter wraps.
pub struct Stopwatch {
    last: u16,
    counts: u32,
    /// 1 in mode 3, in which the counter counts down by two.
    shift: u32,
}

impl Stopwatch {
    /// Starts at 0.
    pub fn start() -> Stopwatch {
        let shift = uninterrupted(|| (status() >> 1 & 3 == 3) as u32);
        Stopwatch { last: uninterrupted(counter), counts: 0, shift }
    }

    /// Microseconds since the start; at most about 4,000,000.
    pub fn microseconds(&mut self) -> u32 {
        let now = uninterrupted(counter);
        self.counts = (self.counts + self.last.wrapping_sub(now) as u32).min(9_000_000);
        self.last = now;
        // There are 1.193182 counts in a microsecond.
        (self.counts >> self.shift).min(5_000_000) * 838 / 1000
    }
}
