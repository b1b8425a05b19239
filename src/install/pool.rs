//! Frames that wait: which form of the pool, how large, and what it is told.

use super::dos::peek;
use super::extended::Memory;
use super::ground::Ground;
use super::lines::Line;
use super::load::{Units, fill};
use super::switches::Options;
use super::xms;
use crate::bus::real::address;
use crate::info::{self, Block};
use crate::memory::SLOT;
use crate::resident::table::{PoolHeader, PoolStart};

/// Stack that the pool takes below an upcall; and what an XMS driver may ask for (XMS 3.0), which is not called inside
/// one.
const STACK: u16 = 64;
const STACK_XMS: u16 = 256;

/// The pool, placed.
pub struct Pool {
    /// As it came from the file.
    pub header: PoolHeader,
    /// What it is told.
    how: PoolStart,
    /// Stack beside the core's.
    pub stack: u16,
}

/// Places the pool, with the slots that there are in extended memory.
#[inline(never)]
pub fn place(ground: &mut Ground, units: &Units, options: &Options, memory: &Memory) -> Option<Pool> {
    let (mut name, mut size, mut stack) = ("pool", options.cache, STACK);
    if memory.slots == 0 {
        name = "poolc";
        // Smaller rather than not at all.
        size = if ground.has_room(options.migrate) { options.migrate } else { SLOT };
        units.say(Line::NoXms, b"", 0);
    } else if memory.block.linear == 0 {
        name = "poolv";
        stack += STACK_XMS;
    }
    if memory.slots != 0 {
        ground.note(Block { kind: info::BLOCK_BUFFERS, place: 1, size: (memory.slots as u16 * (SLOT / 512)).div_ceil(2) });
    }
    let at = ground.feature(name)?;
    let header: PoolHeader = peek(address(ground.segment, at));
    let start = ground.take(info::BLOCK_BUFFERS, size)?;
    let how = PoolStart {
        core: &raw const super::header::header().core as u32 as u16,
        polled: 0,
        start,
        end: ground.next,
        migrate: options.migrate,
        slots: memory.slots as u16,
        handle: memory.block.handle,
        unused: 0,
        xms: memory.block.entry,
        linear: memory.block.linear + memory.rings,
    };
    Some(Pool { header, how, stack })
}

impl Pool {
    /// Has it take its places before the driver and in the core; nothing can fail any more.
    #[inline(never)]
    pub fn stand(&mut self, segment: u16, polled: bool) {
        self.how.polled = polled as u16;
        xms::far_call((segment as u32) << 16 | self.header.once as u32, 0, &raw const self.how as u32 as u16, 0);
        // That was done by what lay where the tables are.
        fill(address(segment, self.header.tables), 0, self.how.start - self.header.tables);
    }
}
