//! What drivers with buffers of their own do with a frame that goes out.

use crate::bus::{Addr, Bus};
use crate::device::MIN_FRAME;

/// Copies a frame to a buffer of at least [`MIN_FRAME`] bytes, zeros behind a short one; the length on the wire.
#[inline(never)]
pub fn stage<B: Bus>(bus: &B, frame: Addr, to: Addr, len: u16) -> u16 {
    let mut padded = len;
    if len < MIN_FRAME {
        padded = MIN_FRAME;
        let mut at = to;
        for _ in 0..MIN_FRAME / 4 {
            bus.put32(at, 0);
            at = at.plus(4);
        }
    }
    bus.transfer(frame, to, len);
    padded
}
