//! Time: the BIOS tick count for time-outs, the PIT for what must be measured more finely.

use super::{Far, uninterrupted};
use core::arch::asm;

/// The low half of the BIOS tick count: 18.2 a second.
pub fn ticks() -> u16 {
    // It is read by bytes, and a tick may come between.
    uninterrupted(|| Far::new(0x40, 0x6C).read16())
}

/// A moment to wait for.
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

    /// Is it over? Midnight, when the count starts again at 0, may end it early.
    pub fn over(&self) -> bool {
        ticks().wrapping_sub(self.start) >= self.length
    }
}

/// Waits for `done`, at most `ticks`. Was it done?
pub fn wait(ticks: u16, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Deadline::after(ticks);
    loop {
        if done() {
            return true;
        }
        // A host that was away for a while brings the ticks and what was waited for all at once.
        if deadline.over() {
            return done();
        }
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

/// Counter 0's status byte by the read-back command.
fn status() -> u8 {
    let status: u8;
    // SAFETY: read-back of the status changes no counter, and its one byte is read.
    unsafe { asm!("out 0x43, al", "in al, 0x40", inlateout("al") 0xE2u8 => status, options(nomem, nostack)) };
    status
}

/// A stopwatch. It must be looked at every 27 ms or it loses a round of the counter.
pub struct Stopwatch {
    last: u16,
    counts: u32,
    /// 1 in mode 3, in which the counter goes down by two.
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
        // 1.193182 counts a microsecond.
        (self.counts >> self.shift).min(5_000_000) * 838 / 1000
    }
}
