//! Extended memory for the card's rings and for frames that wait.

use super::switches::Options;
use crate::bus::either::in_v86;
use crate::install::features::PoolFacts;
use crate::install::plan::{Memory, XmsBlock};
use crate::memory::{FRAMES, SLOT};
use crate::probe::NO_XMS;

/// Memory for so many bytes of rings, and for the frames that the user wants to wait there; for the rings alone if there
/// is less; or none. `rings` may be [`NO_XMS`], and in V86 mode no card has rings there.
#[inline(never)]
pub fn memory(options: &Options, mut rings: u32) -> Memory {
    let mut slots = if options.waits && rings != NO_XMS { options.slots } else { 0 };
    if in_v86() {
        rings = 0;
        slots = slots.min(FRAMES as u16);
    }
    if rings == NO_XMS {
        rings = 0;
    }
    loop {
        let bytes = rings + slots as u32 * SLOT as u32;
        let block = if bytes != 0 { XmsBlock::new(bytes) } else { XmsBlock::NONE };
        if block.handle != 0 {
            let pool = PoolFacts {
                slots,
                base: (block.linear + rings).wrapping_sub(SLOT as u32),
                // A quarter remains for the other user.
                most: slots - slots / 4,
            };
            return Memory { block, rings, pool };
        }
        if slots == 0 {
            return Memory { block, rings: 0, pool: PoolFacts::default() };
        }
        slots = 0;
    }
}
