//! Sending, for drivers that copy a frame to a buffer of their own.

use crate::bus::{Addr, Bus};
use crate::device::{Job, MIN_FRAME};

/// Copies the frame to a buffer of at least [`MIN_FRAME`] bytes and pads it with zeros; returns the length on the wire.
#[inline(never)]
pub fn stage<B: Bus>(bus: &B, job: &Job, to: Addr) -> u16 {
    let mut padded = job.len;
    if padded < MIN_FRAME {
        padded = MIN_FRAME;
        let mut at = to;
        for _ in 0..MIN_FRAME / 4 {
            bus.put32(at, 0);
            at = at.plus(4);
        }
    }
    bus.give_frame(to, job);
    padded
}
