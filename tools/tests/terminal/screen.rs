//! The screen of a VT100: the sequences that curses sends, by the VT100's manual. Unknown sequences are kept, so that a test can
//! fail.

use std::mem::take;

/// Columns between two tab stops.
const TAB: usize = 8;

/// A screen of characters, without their attributes.
pub struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// The last column was written: the next character begins the next row.
    wraps: bool,
    saved: (usize, usize),
    /// First and last row of the region that scrolls.
    region: (usize, usize),
    /// An incomplete sequence: its bytes behind ESC.
    sequence: Option<Vec<u8>>,
    /// Unknown sequences.
    pub unknown: Vec<String>,
}

impl Screen {
    /// An empty screen, with the cursor at the top left.
    pub fn new(rows: usize, columns: usize) -> Screen {
        Screen {
            rows: vec![vec![' '; columns]; rows],
            row: 0,
            column: 0,
            wraps: false,
            saved: (0, 0),
            region: (0, rows - 1),
            sequence: None,
            unknown: Vec::new(),
        }
    }

    /// The rows, without trailing blanks.
    pub fn text(&self) -> String {
        self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_string() + "\n").collect()
    }

    /// The cursor's row up to the cursor.
    pub fn before_cursor(&self) -> String {
        self.rows[self.row][..self.column].iter().collect()
    }

    /// Processes bytes for the terminal. A sequence may be divided between calls.
    pub fn hear(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match &mut self.sequence {
                Some(sequence) => {
                    sequence.push(byte);
                    if is_whole(sequence) {
                        let sequence = take(sequence);
                        self.sequence = None;
                        self.escape(&sequence);
                    }
                }
                None => self.plain(byte),
            }
        }
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            0x1B => self.sequence = Some(Vec::new()),
            b'\r' => self.go(self.row, 0),
            b'\n' | 0x0B | 0x0C => self.down(),
            0x08 => self.go(self.row, self.column.saturating_sub(1)),
            b'\t' => self.go(self.row, (self.column / TAB + 1) * TAB),
            // Bell, padding, and the two character sets, which look the same here.
            0..0x20 | 0x7F => {}
            _ => self.put(byte as char),
        }
    }

    fn put(&mut self, character: char) {
        if self.wraps {
            self.go(self.row, 0);
            self.down();
        }
        let last = self.rows[self.row].len() - 1;
        self.rows[self.row][self.column] = character;
        self.wraps = self.column == last;
        self.column = (self.column + 1).min(last);
    }

    /// Moves the cursor, at most to the edge.
    fn go(&mut self, row: usize, column: usize) {
        self.row = row.min(self.rows.len() - 1);
        self.column = column.min(self.rows[0].len() - 1);
        self.wraps = false;
    }

    fn down(&mut self) {
        if self.row == self.region.1 {
            self.scroll(self.region.0, self.region.1);
        } else {
            self.go(self.row + 1, self.column);
        }
    }

    fn up(&mut self) {
        if self.row == self.region.0 {
            self.scroll(self.region.1, self.region.0);
        } else {
            self.go(self.row.saturating_sub(1), self.column);
        }
    }

    /// Removes a row and inserts an empty one.
    fn scroll(&mut self, out: usize, into: usize) {
        let mut row = self.rows.remove(out);
        row.fill(' ');
        self.rows.insert(into, row);
    }

    fn escape(&mut self, sequence: &[u8]) {
        match sequence {
            [b'[', rest @ .., last] => self.control(rest, *last),
            b"7" => self.saved = (self.row, self.column),
            b"8" => self.go(self.saved.0, self.saved.1),
            b"D" => self.down(),
            b"M" => self.up(),
            b"E" => {
                self.go(self.row, 0);
                self.down();
            }
            // Character sets, keypad, tab stops.
            [b'(' | b')', _] | b"=" | b">" | b"H" => {}
            _ => self.stranger(sequence),
        }
    }

    /// A control sequence: its parameters and its last byte.
    fn control(&mut self, rest: &[u8], last: u8) {
        let text = String::from_utf8_lossy(rest);
        let numbers: Vec<usize> = text.trim_start_matches('?').split(';').map(|word| word.parse().unwrap_or(0)).collect();
        let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let count = number(0).max(1);
        let (bottom, right) = (self.rows.len(), self.rows[0].len());
        match last {
            b'A' => self.go(self.row.saturating_sub(count), self.column),
            b'B' => self.go(self.row + count, self.column),
            b'C' => self.go(self.row, self.column + count),
            b'D' => self.go(self.row, self.column.saturating_sub(count)),
            b'H' | b'f' => self.go(count - 1, number(1).max(1) - 1),
            b'J' | b'K' => {
                let at = self.row * right + self.column;
                let (first, end) = if last == b'J' { (0, bottom * right) } else { (self.row * right, self.row * right + right) };
                let erased = match number(0) {
                    0 => at..end,
                    1 => first..at + 1,
                    _ => first..end,
                };
                erased.for_each(|place| self.rows[place / right][place % right] = ' ');
                self.wraps = false;
            }
            b'r' => {
                let end = if number(1) == 0 { bottom } else { number(1).min(bottom) };
                self.region = (count.min(end) - 1, end - 1);
                self.go(0, 0);
            }
            // Attributes, modes, tab stops, lamps.
            b'm' | b'h' | b'l' | b'g' | b'q' => {}
            _ => self.stranger(&[b"[", rest, &[last]].concat()),
        }
    }

    fn stranger(&mut self, sequence: &[u8]) {
        self.unknown.push(format!("ESC {}", sequence.escape_ascii()));
    }
}

/// Whether a sequence, without its ESC, is complete.
fn is_whole(sequence: &[u8]) -> bool {
    match sequence {
        [b'['] => false,
        [b'[', .., last] => (0x40..0x7F).contains(last),
        [b'(' | b')' | b'#'] => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    fn after(pieces: &[&str]) -> Screen {
        let mut screen = Screen::new(4, 10);
        pieces.iter().for_each(|piece| screen.hear(piece.as_bytes()));
        assert!(screen.unknown.is_empty(), "{:?}", screen.unknown);
        screen
    }

    #[test]
    fn a_text_is_whole_in_whatever_order_its_parts_come() {
        let screen = after(&["\x1b[H\x1b[J", "\x1b[2;5Hmem\x1b[2;", "1HPKTC\x1b[3;1HA>\x1b[0;1mdir"]);
        assert_eq!(screen.text(), "\nPKTCmem\nA>dir\n\n");
        assert_eq!(screen.before_cursor(), "A>dir");
    }

    #[test]
    fn what_is_erased_and_written_over_is_gone() {
        assert_eq!(after(&["abcdef\x08\x08\x08XY\x1b[K"]).text(), "abcXY\n\n\n\n");
        assert_eq!(after(&["one\r\ntwo\r\nthree\x1b[2;2H\x1b[J"]).text(), "one\nt\n\n\n");
        assert_eq!(after(&["one\r\ntwo\x1b[1J\x1b[A!"]).text(), "   !\n\n\n\n");
        assert_eq!(after(&["abc\x1b[2K\x1b(B\x0f\x1b[?1h\x1b=d"]).text(), "   d\n\n\n\n");
    }

    #[test]
    fn lines_wrap_and_scroll() {
        assert_eq!(after(&["0123456789"]).before_cursor(), "012345678");
        assert_eq!(after(&["0123456789ab"]).text(), "0123456789\nab\n\n\n");
        assert_eq!(after(&["1\n\r2\n\r3\n\r4\n\r5"]).text(), "2\n3\n4\n5\n");
        assert_eq!(after(&["1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\n!"]).text(), "1\n3\n!\n4\n");
        assert_eq!(after(&["1\r\n2\r\n3\x1b[H\x1bM0"]).text(), "0\n1\n2\n3\n");
        assert_eq!(after(&["\tx\x1b7\x1b[4;4Hy\x1b8z"]).text(), "        xz\n\n\n   y\n");
    }

    #[test]
    fn a_sequence_that_is_not_known_is_kept() {
        let mut screen = Screen::new(2, 10);
        screen.hear(b"a\x1b[5Zb");
        assert_eq!((screen.text().as_str(), &screen.unknown[..]), ("ab\n\n", &["ESC [5Z".to_string()][..]));
    }
}
