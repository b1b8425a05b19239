//! Values with commas between (`--csv`): a line of names first, then lines of values. Texts are in quotes.

use compkt::programs::rt::console;
use compkt::say;

/// A line. Its values are printed one after another, the line's end by [`Row::end`].
pub struct Row(bool);

impl Row {
    /// With nothing in it.
    pub fn new() -> Row {
        Row(false)
    }

    fn comma(&mut self) {
        if core::mem::replace(&mut self.0, true) {
            console::byte(b',');
        }
    }

    /// Calls `put`, which prints one value.
    pub fn value(&mut self, put: impl FnOnce()) {
        self.comma();
        put();
    }

    /// A number.
    pub fn number(&mut self, value: impl Into<u32>) {
        self.comma();
        console::decimal(value.into(), 0);
    }

    /// A text that may end with a zero. A quote in it is doubled.
    pub fn text(&mut self, text: &[u8]) {
        self.comma();
        console::byte(b'"');
        for byte in text.iter().take_while(|byte| **byte != 0) {
            if *byte == b'"' {
                console::byte(b'"');
            }
            console::byte(*byte);
        }
        console::byte(b'"');
    }

    /// An empty value: it is not known.
    pub fn unknown(&mut self) {
        self.comma();
    }

    /// The end.
    pub fn end(self) {
        say!(c"\n");
    }
}
