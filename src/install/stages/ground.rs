//! Takes memory for what stays, from the core on. The kernel is moved up where that is not enough.

use crate::bus::real::{address, code_segment};
use crate::info::{self, Block};
use crate::install::dos::{fill, from_device, memory_end};
use crate::install::header::Unit;
use crate::install::kernel::run::last;
use crate::install::kernel::{MOVE_LEAST, header, load, move_up, unit};
use crate::install::lines::Line;
use crate::install::plan::{Ground, Plan};
use crate::resident::table::{BLOCKS, ENTRIES};

impl Ground {
    /// From `segment` up to where the last stage lies, whose number is `stage`. None: that cannot be read.
    pub fn new(segment: u16, stage: u8) -> Option<Ground> {
        let stand = unit(stage)?;
        let paragraphs = (code_segment() - segment).min(0xC00);
        let limit = (paragraphs << 4) + last(&stand);
        Some(Ground { segment, next: 0, limit, blocks: [Block::NONE; BLOCKS], count: 0, merges: false })
    }

    /// Lists a block.
    pub fn note(&mut self, block: Block) {
        if self.merges {
            let alike = |other: &&mut Block| (other.kind, other.place) == (block.kind, block.place);
            if let Some(other) = self.blocks.iter_mut().take(self.count as usize).find(alike) {
                other.size += block.size;
                return;
            }
        }
        if let Some(slot) = self.blocks.get_mut(self.count as usize) {
            *slot = block;
            self.count += 1;
        }
    }

    /// The most bytes that can be taken, if `behind` more are to be taken behind them: so many lie below the installer when it
    /// has moved up as far as it can. It moves by a few paragraphs more than it has to, for these bytes and for those behind.
    pub fn room(&self, behind: u16) -> u16 {
        /// Near addresses end here.
        const SEGMENT: u32 = 0xFFF0;
        /// Paragraphs that stay free at the prompt: `3COMPKT /U` needs them.
        const REST: u32 = 0x800;
        let rest = if from_device() { 0 } else { REST };
        let kernel = code_segment() as u32 + (header().stack_top >> 4) as u32 + 2 * MOVE_LEAST as u32 + rest;
        let moved = memory_end().saturating_sub(kernel) << 4;
        let end = (self.limit as u32).saturating_add(moved).min(SEGMENT);
        end.saturating_sub(self.next as u32 + behind as u32) as u16
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
