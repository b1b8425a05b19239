//! The text screen: taken over, written by cells, and given back as it was.

use super::{Far, Regs, int};
use crate::programs::screen::{COLUMNS, ROWS};

/// Cursor shape: none is seen.
const HIDDEN: u32 = 0x2000;
/// Rows of a BIOS that does not tell them.
const USUAL: usize = 25;

/// The screen while this program has it. There is one at a time.
pub struct Video {
    /// The first cell.
    at: Far,
    page: u16,
    /// Rows that are used.
    pub rows: usize,
    cursor: u32,
    shape: u32,
    /// What it had: memory of DOS's.
    saved: Far,
}

fn bios(ax: u16, bx: u16, cx: u32, dx: u32) -> Regs {
    let mut regs = Regs { ebx: bx as u32, ecx: cx, edx: dx, ..Regs::ax(ax) };
    int(0x10, &mut regs);
    regs
}

impl Video {
    /// Takes the screen: keeps what it has, and hides the cursor. `None`: it is no text screen of 80 columns, or there is no
    /// memory to keep it in.
    pub fn take() -> Option<Video> {
        let mode = bios(0x0F00, 0, 0, 0);
        let segment = match mode.eax as u8 & 0x7F {
            2 | 3 => 0xB800,
            7 => 0xB000,
            _ => return None,
        };
        if (mode.eax >> 8) as u8 as usize != COLUMNS {
            return None;
        }
        // The BIOS's data: the page's offset, and from the EGA on the number of rows, less one.
        let at = Far::new(segment, Far::new(0x40, 0x4E).read16());
        let rows = (Far::new(0x40, 0x84).read16() as u8) as usize + 1;
        let page = mode.ebx as u16 & 0xFF00;
        let cursor = bios(0x0300, page, 0, 0);
        let rows = if rows < USUAL { USUAL } else { rows.min(ROWS) };
        let mut memory = Regs::ax(0x4800);
        memory.ebx = (rows * COLUMNS * 2).div_ceil(16) as u32;
        int(0x21, &mut memory);
        if memory.carry() {
            return None;
        }
        let saved = Far::new(memory.eax as u16, 0);
        // SAFETY: the memory is this program's, and has room for these bytes.
        unsafe { saved.copy(at, (rows * COLUMNS * 2) as u16) };
        bios(0x0100, 0, HIDDEN, 0);
        Some(Video { at, page, rows, cursor: cursor.edx & 0xFFFF, shape: cursor.ecx & 0xFFFF, saved })
    }

    /// Writes cells from cell `first` on.
    pub fn write(&self, first: usize, cells: &[u16]) {
        // SAFETY: the cells are the screen's, whose rows were counted; a u16 has any bytes.
        unsafe {
            let bytes = core::slice::from_raw_parts(cells.as_ptr().cast::<u8>(), cells.len() * 2);
            Far::new(self.at.segment(), self.at.offset().wrapping_add(first as u16 * 2)).write(bytes);
        }
    }

    /// Gives the screen back.
    pub fn give_back(self) {
        // SAFETY: the screen has these bytes.
        unsafe { self.at.copy(self.saved, (self.rows * COLUMNS * 2) as u16) };
        bios(0x0100, 0, self.shape, 0);
        bios(0x0200, self.page, 0, self.cursor);
        int(0x21, &mut Regs { es: self.saved.segment(), ..Regs::ax(0x4900) });
    }
}
