//! The ground on which the driver is built: memory from the core on, which the installer makes free by moving up.

use super::header::{KIND_DRIVER, header};
use super::lines::Line;
use super::load::{Units, fill};
use super::run::memory_end;
use crate::bus::real::{address, code_segment};
use crate::info::{self, Block};
use crate::resident::table::{BLOCKS, ENTRIES};

/// Blocks behind the core, in the order in which they are placed.
pub struct Ground<'a> {
    units: &'a Units,
    /// Of all of them.
    pub segment: u16,
    /// Where the next one goes.
    pub next: u16,
    limit: u16,
    /// What was taken.
    pub blocks: [Block; BLOCKS],
    /// How many of them.
    pub count: u8,
}

impl<'a> Ground<'a> {
    /// From our segment up to the part of the installer that is still needed (linker/installer.ld).
    pub fn new(units: &'a Units, segment: u16) -> Ground<'a> {
        unsafe extern "C" {
            static __placing: u8;
        }
        let paragraphs = (code_segment() - segment).min(0xC00);
        let limit = (paragraphs << 4) + (&raw const __placing as u32 as u16 & !15);
        Ground { units, segment, next: 0, limit, blocks: [Block::NONE; BLOCKS], count: 0 }
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

    /// Sees to it that `size` bytes can be taken on a boundary of four; where they end.
    pub fn reserve(&mut self, size: u16) -> Option<u16> {
        let next = self.next.checked_add(size)?.checked_add(3)? & !3;
        if next > self.limit {
            let Some(more) = make_room(next - self.limit) else {
                self.units.say(Line::NoRoom, b"", next - self.limit);
                return None;
            };
            self.limit = self.limit.saturating_add(more);
        }
        Some(next)
    }

    /// Takes `size` bytes on a boundary of four.
    pub fn take(&mut self, kind: u8, size: u16) -> Option<u16> {
        let (at, next) = (self.next, self.reserve(size)?);
        self.next = next;
        self.note(Block { kind, place: 0, size: next - at });
        Some(at)
    }

    /// Gives back the block that was taken last.
    pub fn give_back(&mut self, at: u16) {
        self.next = at;
        self.count -= 1;
    }

    /// Takes a block of zeros.
    pub fn zeros(&mut self, kind: u8, size: u16) -> Option<u16> {
        let at = self.take(kind, size)?;
        fill(address(self.segment, at), 0, size);
        Some(at)
    }

    /// Takes the block of the driver's unit, whose header is the core's: and loads it.
    pub fn driver(&mut self, name: &[u8; 12]) -> Option<()> {
        let unit = self.units.named(KIND_DRIVER, name)?;
        let at = self.take(info::BLOCK_NIC, unit.total - ENTRIES)? - ENTRIES;
        self.units.load(&unit, self.segment, at)
    }

    /// Takes a feature's block and loads the feature.
    #[inline(never)]
    pub fn feature(&mut self, name: &str) -> Option<u16> {
        let unit = self.units.feature(name)?;
        let at = self.take(info::BLOCK_FEATURE, unit.total)?;
        self.units.load(&unit, self.segment, at)?;
        Some(at)
    }
}

/// Moves the installer further up, so that at least as many bytes more are free below it; how many there are.
#[inline(never)]
fn make_room(bytes: u16) -> Option<u16> {
    unsafe extern "fastcall" {
        fn move_up(paragraphs: u16);
    }
    // At least what `move_up` needs for itself.
    let paragraphs = (bytes >> 4) + 4;
    let need = code_segment() as u32 + (header().stack_top >> 4) as u32 + paragraphs as u32;
    if need > memory_end() {
        return None;
    }
    // SAFETY: that memory is ours; everything here is addressed within its segment.
    unsafe { move_up(paragraphs) };
    Some(paragraphs << 4)
}
