//! A text screen of 80 columns that is written a row at a time: only cells that have changed go to the video memory, so that
//! nothing flickers. A cell is a letter in the low byte and its colour in the high byte. The host tests run this.

/// Columns.
pub const COLUMNS: usize = 80;
/// The most rows.
pub const ROWS: usize = 50;
/// Cells of the largest screen.
pub const CELLS: usize = COLUMNS * ROWS;

/// Grey on black.
pub const PLAIN: u8 = 0x07;
/// White on black.
pub const BRIGHT: u8 = 0x0F;
/// Black on grey.
pub const REVERSE: u8 = 0x70;
/// Green on black; on a monochrome screen bright.
pub const GREEN: u8 = 0x0A;

/// A block of a bar, and its empty rest.
const FULL: u8 = 0xDB;
const EMPTY: u8 = 0xB0;

/// What the screen shows.
pub struct Screen {
    cells: [u16; CELLS],
}

impl Screen {
    /// A screen whose cells are not known.
    pub const fn new() -> Screen {
        Screen { cells: [0; CELLS] }
    }

    /// Forgets what is shown: the next rows are written as a whole.
    pub fn forget(&mut self) {
        self.cells.fill(0);
    }

    /// Shows a row. Calls `write` with the number of the first cell and the cells, for each run of cells that have changed.
    pub fn show(&mut self, row: usize, new: &Row, write: &mut dyn FnMut(usize, &[u16])) {
        let start = row * COLUMNS;
        let Some(old) = self.cells.get_mut(start..start + COLUMNS) else { return };
        let mut from = 0;
        while from < COLUMNS {
            let same = |at: usize| old.get(at) == new.cells.get(at);
            if same(from) {
                from += 1;
                continue;
            }
            let mut to = from + 1;
            while to < COLUMNS && !same(to) {
                to += 1;
            }
            write(start + from, new.cells.get(from..to).unwrap_or(&[]));
            from = to;
        }
        old.copy_from_slice(&new.cells);
    }
}

impl Default for Screen {
    fn default() -> Screen {
        Screen::new()
    }
}

/// A row that is being made. What does not fit into it is left out.
pub struct Row {
    cells: [u16; COLUMNS],
    used: usize,
    color: u8,
}

impl Row {
    /// An empty row of a colour.
    pub const fn new(color: u8) -> Row {
        Row { cells: [(color as u16) << 8 | b' ' as u16; COLUMNS], used: 0, color }
    }

    /// The colour of what follows.
    pub fn color(&mut self, color: u8) -> &mut Row {
        self.color = color;
        self
    }

    fn letter(&mut self, letter: u8) {
        if let Some(cell) = self.cells.get_mut(self.used) {
            *cell = (self.color as u16) << 8 | letter as u16;
        }
        self.used += 1;
    }

    /// Letters up to a zero. Control characters would be pictures; they are shown as dots.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Row {
        for byte in bytes.iter().take_while(|byte| **byte != 0) {
            self.letter(if byte.is_ascii_control() { b'.' } else { *byte });
        }
        self
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Row {
        self.bytes(text.as_bytes())
    }

    /// A number, with leading blanks to `columns`.
    pub fn number(&mut self, value: u32, columns: usize) -> &mut Row {
        let mut digits = [b' '; 10];
        let (mut rest, mut used) = (value, 0);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        (used..columns).for_each(|_| self.letter(b' '));
        self.bytes(digits.get(10 - used..).unwrap_or(&[]))
    }

    /// A hexadecimal number of two digits.
    pub fn hex(&mut self, value: u8) -> &mut Row {
        for digit in [value >> 4, value & 15] {
            self.letter(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit });
        }
        self
    }

    /// An Ethernet address.
    pub fn address(&mut self, address: &[u8; 6]) -> &mut Row {
        for (place, byte) in address.iter().enumerate() {
            if place != 0 {
                self.letter(b':');
            }
            self.hex(*byte);
        }
        self
    }

    /// A bar of `columns`, full where `value` is `most`. A value above 0 has one block at least.
    pub fn bar(&mut self, value: u32, most: u32, columns: usize) -> &mut Row {
        // Both are shifted until the product has 32 bits.
        let shift = (32 - most.leading_zeros()).saturating_sub(24);
        let full = ((value.min(most) >> shift) * columns as u32).checked_div(most >> shift).unwrap_or(0);
        let full = (full as usize).max((value != 0) as usize);
        (0..columns).for_each(|at| self.letter(if at < full { FULL } else { EMPTY }));
        self
    }

    /// Goes on in this column; a row that is there already goes on behind its end.
    pub fn column(&mut self, column: usize) -> &mut Row {
        while self.used < column {
            self.letter(b' ');
        }
        self
    }

    /// The cells.
    pub const fn cells(&self) -> &[u16; COLUMNS] {
        &self.cells
    }
}
