//! Units: read from our own file, placed, zeroed behind and fixed up.

use super::dos::{self, File};
use super::header::{KIND_FEATURE, Unit, header};
use crate::bus::Addr;
use crate::bus::real::{address, own};

/// Our own file and its directory.
pub struct Units {
    file: File,
}

/// Fix-ups read at a time.
const CHUNK: usize = 64;

impl Units {
    /// Opens our own file.
    pub fn open(segment: u16, offset: u16) -> Option<Units> {
        Some(Units { file: File::open(segment, offset)? })
    }

    /// The directory's entry `index`.
    pub fn get(&self, index: u16) -> Option<Unit> {
        if index >= header().unit_count {
            return None;
        }
        let mut unit = Unit::EMPTY;
        let size = size_of::<Unit>() as u16;
        let at = header().directory + index as u32 * size as u32;
        self.file.read(at, own(&raw mut unit as *mut u8), size)?;
        Some(unit)
    }

    /// Reads from a text at `at`.
    #[inline(always)]
    pub fn read(&self, unit: &Unit, at: u16, to: &mut [u8]) {
        self.file.read(unit.offset + at as u32, own(to.as_mut_ptr()), to.len() as u16);
    }

    /// Does the probe know this PCI function?
    pub fn knows(&self, unit: &Unit, id: u32) -> bool {
        let mut chunk = [0u32; 16];
        let mut done = 0;
        while done < unit.ids {
            let count = (unit.ids - done).min(16);
            if self.file.read(unit.ids_at() + done as u32 * 4, own(chunk.as_mut_ptr() as *mut u8), count * 4).is_none() {
                return false;
            }
            if chunk.iter().take(count as usize).any(|known| *known == id) {
                return true;
            }
            done += count;
        }
        false
    }

    /// The unit of a kind with a name.
    pub fn named(&self, kind: u8, name: &[u8; 12]) -> Option<Unit> {
        (0..header().unit_count).filter_map(|index| self.get(index)).find(|unit| unit.kind == kind && unit.name == *name)
    }

    /// The optional feature of a name.
    pub fn feature(&self, name: &str) -> Option<Unit> {
        let mut padded = [0; 12];
        padded.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        self.named(KIND_FEATURE, &padded)
    }

    /// Reads a unit to `segment:at` (there are `unit.total` bytes of room) and adds `at` to its fix-ups.
    pub fn load(&self, unit: &Unit, segment: u16, at: u16) -> Option<()> {
        let base = address(segment, at);
        self.file.read(unit.offset, base, unit.bytes)?;
        fill(base.plus(unit.bytes), 0, unit.total - unit.bytes);
        let mut next = unit.offset + unit.bytes as u32;
        let mut left = [unit.fixes16, unit.fixes32];
        let mut chunk = [0u16; CHUNK];
        while left != [0, 0] {
            let wide = left[0] == 0;
            let count = left[wide as usize].min(CHUNK as u16);
            self.file.read(next, own(chunk.as_mut_ptr() as *mut u8), count * 2)?;
            next += count as u32 * 2;
            left[wide as usize] -= count;
            for fix in chunk.iter().take(count as usize) {
                // Within 64 KB the high half of a 32-bit offset stays zero.
                let place = base.plus(*fix);
                dos::poke(place, &dos::peek::<u16>(place).wrapping_add(at));
            }
        }
        Some(())
    }
}

/// Fills memory below 1 MB.
pub fn fill(at: Addr, byte: u8, len: u16) {
    for offset in 0..len {
        dos::poke(at.plus(offset), &byte);
    }
}
