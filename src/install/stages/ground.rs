//! Takes memory for what stays, from the core on. The kernel is moved up where that is not enough.

use crate::bus::real::{address, code_segment};
use crate::info::{self, Block};
use crate::install::dos::{fill, memory_end};
use crate::install::header::{Unit, number};
use crate::install::kernel::run::last;
use crate::install::kernel::{MOVE_LEAST, header, load, move_up, unit};
use crate::install::lines::Line;
use crate::install::plan::{Ground, Plan};
use crate::resident::table::{BLOCKS, ENTRIES};

impl Ground {
    /// From `segment` up to where the stage lies that starts the card. None: that cannot be read.
    pub fn new(segment: u16) -> Option<Ground> {
        let stand = unit(number::STAND)?;
        let paragraphs = (code_segment() - segment).min(0xC00);
        let limit = (paragraphs << 4) + last(&stand);
        Some(Ground { segment, next: 0, limit, blocks: [Block::NONE; BLOCKS], count: 0 })
    }

    /// Lists a block.
    pub fn note(&mut self, block: Block) {
        if let Some(slot) = self.blocks.get_mut(self.count as usize) {
            *slot = block;
            self.count += 1;
        }
    }

    /// Is there room for `size` bytes, and for the rest of the driver?
    pub fn has_room(&self, size: u16) -> bool {
        /// Rings in conventional memory, and the stack; and what the installer needs behind them.
        const REST: u32 = 42 << 10;
        let end = self.next as u32 + size as u32 + REST;
        size < 0x9000 && self.segment as u32 + (end >> 4) < memory_end()
    }

}

impl Plan {
    /// Sees to it that `size` bytes can be taken on a boundary of four; where they end. None: the plan has failed.
    #[inline(never)]
    pub fn reserve(&mut self, size: u16) -> Option<u16> {
        let ground = &mut self.ground;
        let next = ground.next.checked_add(size)?.checked_add(3)? & !3;
        if next > ground.limit {
            let more = next - ground.limit;
            let Some(more) = make_room(more) else {
                self.fail(Line::NoRoom, more);
                return None;
            };
            ground.limit = ground.limit.saturating_add(more);
        }
        Some(next)
    }

    /// Takes `size` bytes on a boundary of four.
    #[inline(never)]
    pub fn take(&mut self, kind: u8, size: u16) -> Option<u16> {
        let next = self.reserve(size)?;
        let at = self.ground.next;
        self.ground.next = next;
        self.ground.note(Block { kind, place: 0, size: next - at });
        Some(at)
    }

    /// Takes a block of zeros.
    #[inline(never)]
    pub fn zeros(&mut self, kind: u8, size: u16) -> Option<u16> {
        let at = self.take(kind, size)?;
        fill(address(self.ground.segment, at), 0, size);
        Some(at)
    }

    /// Takes a block for a unit, which begins `inside` bytes before it, and reads the unit; where it begins.
    #[inline(never)]
    pub fn read(&mut self, kind: u8, unit: &Unit, inside: u16) -> Option<u16> {
        let at = self.take(kind, unit.total - inside)? - inside;
        load(unit, self.ground.segment, at)?;
        Some(at)
    }

    /// Takes the block of the driver's unit, whose header is the end of the core.
    pub fn driver(&mut self, unit: &Unit) -> Option<()> {
        self.read(info::BLOCK_NIC, unit, ENTRIES)?;
        Some(())
    }
}

/// Moves the installer further up, so that at least as many bytes more are free below it; how many there are.
#[inline(never)]
fn make_room(bytes: u16) -> Option<u16> {
    let paragraphs = (bytes >> 4) + MOVE_LEAST;
    let need = code_segment() as u32 + (header().stack_top >> 4) as u32 + paragraphs as u32;
    if need > memory_end() {
        return None;
    }
    move_up(paragraphs);
    Some(paragraphs << 4)
}
