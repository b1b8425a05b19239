//! A text screen of a PC as a picture: 80 columns of cells, each a letter of code page 437 and its colours.

use std::fmt::Write;

/// Cells of a row.
pub const COLUMNS: usize = 80;
/// A cell's size, the distance from its top to the letters' line, and the margin around the screen.
const WIDE: usize = 9;
const HIGH: usize = 18;
const DOWN: usize = 14;
/// What blocks leave free above and below, so that the bars of two rows are not one.
const FREE: usize = 2;
const MARGIN: usize = 12;

/// The colours of a VGA's text.
const COLORS: [&str; 16] = [
    "#000", "#00a", "#0a0", "#0aa", "#a00", "#a0a", "#a50", "#aaa", "#555", "#55f", "#5f5", "#5ff", "#f55", "#f5f", "#ff5", "#fff",
];

/// The blocks of code page 437, and how much of a cell each fills, in quarters.
const BLOCKS: [(u8, usize); 4] = [(0xB0, 1), (0xB1, 2), (0xB2, 3), (0xDB, 4)];

/// A run of cells that are alike, from column `at`.
struct Run {
    at: usize,
    cells: usize,
}

/// The runs of a row: as long as `of` gives the same for the next cell. Cells for which it gives nothing are left out.
fn runs<T: PartialEq>(row: &[[u8; 2]], of: impl Fn([u8; 2]) -> Option<T>) -> Vec<(T, Run)> {
    let mut all: Vec<(T, Run)> = Vec::new();
    for (at, cell) in row.iter().enumerate() {
        let Some(kind) = of(*cell) else { continue };
        match all.last_mut() {
            Some((last, run)) if *last == kind && run.at + run.cells == at => run.cells += 1,
            _ => all.push((kind, Run { at, cells: 1 })),
        }
    }
    all
}

fn color(number: u8) -> &'static str {
    COLORS[usize::from(number & 15)]
}

/// A letter of code page 437; of the letters above 7Eh only blocks are known.
fn letter(byte: u8) -> String {
    match byte {
        b'&' => "&amp;".into(),
        b'<' => "&lt;".into(),
        b'>' => "&gt;".into(),
        0x21..=0x7E => char::from(byte).into(),
        _ => "\u{FFFD}".into(),
    }
}

/// The picture of the cells in a PC's video memory.
pub fn svg(title: &str, memory: &[u8]) -> String {
    let cells: Vec<[u8; 2]> = memory.chunks_exact(2).map(|cell| [cell[0], cell[1]]).collect();
    let rows: Vec<&[[u8; 2]]> = cells.chunks(COLUMNS).collect();
    let (width, height) = (COLUMNS * WIDE + 2 * MARGIN, rows.len() * HIGH + 2 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>text{{font:15px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#000\"/>\n"
    );
    for (number, row) in rows.iter().enumerate() {
        let top = MARGIN + number * HIGH;
        let mut bar = |run: &Run, fill: &str, opacity: usize, free: usize| {
            let (x, y, width, high) = (MARGIN + run.at * WIDE, top + free, run.cells * WIDE, HIGH - 2 * free);
            let thin = if opacity == 4 { String::new() } else { format!(" fill-opacity=\"{}\"", opacity as f32 / 4.0) };
            let _ = writeln!(text, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{high}\" fill=\"{fill}\"{thin}/>");
        };
        for (ground, run) in runs(row, |[_, colors]| Some(colors >> 4).filter(|ground| *ground != 0)) {
            bar(&run, color(ground), 4, 0);
        }
        let block = |byte: u8| BLOCKS.iter().find(|(block, _)| *block == byte).map(|(_, full)| *full);
        for ((full, fill), run) in runs(row, |[byte, colors]| Some((block(byte)?, colors & 15))) {
            bar(&run, color(fill), full, FREE);
        }
        // Words, each at its own place: so columns stand below each other in any font.
        let is_letter = |byte: u8| !matches!(byte, 0 | b' ' | 0xFF) && block(byte).is_none();
        for (fill, run) in runs(row, |[byte, colors]| is_letter(byte).then_some(colors & 15)) {
            let (x, y, long) = (MARGIN + run.at * WIDE, top + DOWN, run.cells * WIDE);
            let word: String = row[run.at..run.at + run.cells].iter().map(|[byte, _]| letter(*byte)).collect();
            let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\" textLength=\"{long}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\">{word}</text>", color(fill));
        }
    }
    text + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows: text in two colours, and a bar on a ground.
    #[test]
    fn cells_are_words_bars_and_grounds() {
        let mut memory = [b' ', 0x07].repeat(2 * COLUMNS);
        for (at, (byte, colors)) in [(b'a', 0x07), (b'<', 0x07), (b' ', 0x07), (b'b', 0x0F), (b'c', 0x0A)].into_iter().enumerate() {
            memory[2 * at..][..2].copy_from_slice(&[byte, colors]);
        }
        for (at, byte) in [0xDB, 0xDB, 0xB0].into_iter().enumerate() {
            memory[2 * (COLUMNS + 10 + at)..][..2].copy_from_slice(&[byte, 0x7A]);
        }
        let text = svg("a screen", &memory);
        for line in [
            "<text x=\"12\" y=\"26\" textLength=\"18\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#aaa\">a&lt;</text>",
            "<text x=\"39\" y=\"26\" textLength=\"9\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#fff\">b</text>",
            "<text x=\"48\" y=\"26\" textLength=\"9\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#5f5\">c</text>",
            "<rect x=\"102\" y=\"30\" width=\"27\" height=\"18\" fill=\"#aaa\"/>",
            "<rect x=\"102\" y=\"32\" width=\"18\" height=\"14\" fill=\"#5f5\"/>",
            "<rect x=\"120\" y=\"32\" width=\"9\" height=\"14\" fill=\"#5f5\" fill-opacity=\"0.25\"/>",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(text.matches("<text ").count(), 3, "{text}");
    }
}
