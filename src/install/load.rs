//! Our own file: its directory, its units, its lines of text.
//!
//! A unit is read, placed, zeroed behind and fixed up. The first read that fails is the last: all later ones fail too, so
//! that no search goes on with a part of the directory, and [`Units::complain`] says why nothing stands.

use core::cell::Cell;

use super::dos::{self, File};
use super::header::{KIND_FEATURE, Unit, header};
use super::lines::{self, Line};
use super::print::{Dec, Hex, Print};
use crate::bus::Addr;
use crate::bus::real::{address, own};
use crate::line;
use crate::probe::{Fault, REASON};

/// Our own file, open.
pub struct Units {
    file: File,
    damaged: Cell<bool>,
    hushed: Cell<bool>,
}

/// Fix-ups read at a time.
const CHUNK: usize = 64;

impl Units {
    /// Opens our own file.
    pub fn open(segment: u16, offset: u16) -> Option<Units> {
        Some(Units { file: File::open(segment, offset)?, damaged: Cell::new(false), hushed: Cell::new(false) })
    }

    /// Reads from the file, unless a read has failed before.
    #[inline(never)]
    fn read(&self, offset: u32, to: Addr, len: u16) -> Option<()> {
        if self.damaged.get() || self.file.read(offset, to, len).is_none() {
            return self.damage();
        }
        Some(())
    }

    /// The file is not as the pack step made it, or cannot be read.
    pub fn damage(&self) -> Option<()> {
        self.damaged.set(true);
        None
    }

    /// Says that the file is damaged, if it is.
    #[inline(never)]
    pub fn complain(&self) {
        if self.damaged.get() {
            line!("the file is damaged; copy it again");
        }
    }

    /// The directory's next unit of a kind, from `index` on, which moves behind it.
    #[inline(never)]
    pub fn next(&self, kind: u8, index: &mut u16) -> Option<Unit> {
        let mut unit = Unit::EMPTY;
        let size = size_of::<Unit>() as u16;
        while *index < header().unit_count {
            self.read(header().directory + *index as u32 * size as u32, own(&raw mut unit as *mut u8), size)?;
            *index += 1;
            if unit.kind == kind {
                return Some(unit);
            }
        }
        None
    }

    /// The unit of a kind with a name. There is one, or the file is damaged.
    #[inline(never)]
    pub fn named(&self, kind: u8, name: &[u8; 12]) -> Option<Unit> {
        let mut index = 0;
        while let Some(unit) = self.next(kind, &mut index) {
            if unit.name == *name {
                return Some(unit);
            }
        }
        self.damage();
        None
    }

    /// The optional feature of a name.
    #[inline(never)]
    pub fn feature(&self, name: &str) -> Option<Unit> {
        let mut padded = [0; 12];
        padded.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        self.named(KIND_FEATURE, &padded)
    }

    /// Reads from a text at `at`.
    #[inline(always)]
    pub fn text(&self, unit: &Unit, at: u16, to: &mut [u8]) -> Option<()> {
        self.read(unit.offset + at as u32, own(to.as_mut_ptr()), to.len() as u16)
    }

    /// Does the probe know this PCI function?
    pub fn knows(&self, unit: &Unit, id: u32) -> bool {
        let mut chunk = [0u32; 16];
        let mut done = 0;
        while done < unit.ids {
            let count = (unit.ids - done).min(16);
            if self.read(unit.ids_at() + done as u32 * 4, own(chunk.as_mut_ptr() as *mut u8), count * 4).is_none() {
                return false;
            }
            if chunk.iter().take(count as usize).any(|known| *known == id) {
                return true;
            }
            done += count;
        }
        false
    }

    /// Reads a unit to `segment:at` (there are `unit.total` bytes of room) and adds `at` to its fix-ups.
    #[inline(never)]
    pub fn load(&self, unit: &Unit, segment: u16, at: u16) -> Option<()> {
        let base = address(segment, at);
        self.read(unit.offset, base, unit.bytes)?;
        fill(base.plus(unit.bytes), 0, unit.total - unit.bytes);
        let mut next = unit.offset + unit.bytes as u32;
        let mut left = [unit.fixes16, unit.fixes32];
        let mut chunk = [0u16; CHUNK];
        while left != [0, 0] {
            let wide = left[0] == 0;
            let count = left[wide as usize].min(CHUNK as u16);
            self.read(next, own(chunk.as_mut_ptr() as *mut u8), count * 2)?;
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

    /// Keeps lines from being printed, or lets them be printed again. True: they were kept so far.
    pub fn hush(&self, on: bool) -> bool {
        self.hushed.replace(on)
    }

    /// Says in one line what is wrong with a card; nothing of a fault that is not worth a line.
    #[inline(never)]
    pub fn explain(&self, unit: &Unit, fault: Fault) {
        if !matches!(fault, Fault::Nothing | Fault::End | Fault::Master) {
            self.print(fault as u16 - 1, &unit.name, 0);
        }
    }

    /// Prints a line of the file, with a name before it and a number in it.
    #[inline(never)]
    pub fn say(&self, line: Line, name: &[u8], number: u16) {
        self.print(lines::FIRST + line as u16, name, number);
    }

    /// Nothing is printed when the line cannot be read: then the file is damaged.
    #[inline(never)]
    fn print(&self, index: u16, name: &[u8], number: u16) {
        let mut text = [0; REASON];
        if self.hushed.get() || self.feature("lines").and_then(|lines| self.text(&lines, index * REASON as u16, &mut text)).is_none() {
            return;
        }
        "3COMPKT: ".print();
        name.print();
        for byte in text.iter().take_while(|byte| **byte != 0) {
            match *byte {
                lines::HEX => Hex(number).print(),
                lines::DECIMAL => Dec(number).print(),
                letter => dos::put(letter),
            }
        }
        "\r\n".print();
    }
}

/// Fills memory below 1 MB.
#[inline(never)]
pub fn fill(at: Addr, byte: u8, len: u16) {
    for offset in 0..len {
        dos::poke(at.plus(offset), &byte);
    }
}
