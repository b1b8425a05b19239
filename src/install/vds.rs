//! The Virtual DMA Services (INT 4Bh): where a card finds memory that the processor reaches through page tables.

use super::dos::{peek, regs};
use crate::bus::Addr;
use crate::resident::table::Region;

/// A byte of the BIOS's,
const BIOS_FLAGS: Addr = Addr(0x47B);
/// in which this says that the services are there.
const PRESENT: u8 = 1 << 5;
const LOCK: u16 = 0x8103;
const UNLOCK: u16 = 0x8104;
/// In one piece and as it is: no buffer in its place, no other pages.
const IN_PLACE: u16 = 1 << 2 | 1 << 3;

/// Are the services there?
pub fn present() -> bool {
    peek::<u8>(BIOS_FLAGS) & PRESENT != 0
}

#[inline(never)]
fn call(region: &mut Region, function: u16, flags: u16) -> bool {
    let regs = regs(function);
    regs.dx = flags;
    regs.di = region as *mut Region as u32 as u16;
    regs.interrupt(0x4B)
}

/// Locks `size` bytes of memory below 1 MB, which must be in one piece for the card too. None: they are not, or the
/// services refuse.
pub fn lock(at: Addr, size: u32) -> Option<Region> {
    let mut region = Region { size, offset: at.0, ..Region::default() };
    call(&mut region, LOCK, IN_PLACE).then_some(region)
}

/// Unlocks it.
pub fn unlock(mut region: Region) {
    call(&mut region, UNLOCK, 0);
}
