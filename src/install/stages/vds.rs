//! The Virtual DMA Services (INT 4Bh): where a card finds memory that the processor reaches through page tables.

use crate::bus::Addr;
use crate::install::dos::{peek, regs};
use crate::resident::table::Region;

/// A byte of the BIOS's,
const BIOS_FLAGS: Addr = Addr(0x47B);
/// in which this says that the services are there.
const PRESENT: u8 = 1 << 5;
const LOCK: u16 = 0x8103;
/// In one piece and as it is: no buffer in its place, no other pages.
const IN_PLACE: u16 = 1 << 2 | 1 << 3;

/// Are the services there?
pub fn is_there() -> bool {
    peek::<u8>(BIOS_FLAGS) & PRESENT != 0
}

/// Locks `size` bytes of memory below 1 MB, which must be in one piece for the card too. None: they are not, or the
/// services refuse.
pub fn lock(at: Addr, size: u32) -> Option<Region> {
    let mut region = Region { size, offset: at.0, ..Region::default() };
    let regs = regs(LOCK);
    regs.dx = IN_PLACE;
    regs.di = &raw mut region as u32 as u16;
    regs.interrupt(0x4B).then_some(region)
}
