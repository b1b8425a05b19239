//! The live screen of `PKTCTL stats --watch` (src/programs/screen.rs, watch.rs, rates.rs).

use compkt::programs::rates::{Counts, Rates, a_second};
use compkt::programs::screen::{CELLS, COLUMNS, PLAIN, Row, Screen};
use compkt::programs::watch::{DRIVERS, PANEL, Panel, draw};
use tools::random::Random;

/// A video memory, which counts what is written.
struct Video {
    cells: Vec<u16>,
    written: usize,
}

impl Video {
    fn new() -> Video {
        Video { cells: vec![0xEEEE; CELLS], written: 0 }
    }

    fn draw(&mut self, screen: &mut Screen, rows: usize, panels: &[Panel]) {
        self.written = 0;
        draw(screen, rows, panels, 1, &mut |at, cells| {
            assert!(!cells.is_empty() && at / COLUMNS == (at + cells.len() - 1) / COLUMNS, "{} cells at {at}: in one row", cells.len());
            self.cells[at..at + cells.len()].copy_from_slice(cells);
            self.written += cells.len();
        });
    }

    fn text(&self, row: usize) -> String {
        let cells = &self.cells[row * COLUMNS..(row + 1) * COLUMNS];
        let text: String = cells.iter().map(|cell| match *cell as u8 {
            0xDB => '#',
            0xB0 => '-',
            byte => char::from(byte),
        }).collect();
        text.trim_end().to_string()
    }
}

fn panel(vector: u8) -> Panel {
    let mut panel = Panel { address: [2, 0, 0, 0, 0, vector], link: 1, ..Panel::new(vector) };
    panel.name[..6].copy_from_slice(b"ne2000");
    panel.counts = Some(Counts { frames_in: 4_000_000_001, bytes_in: 4_000_000_002, errors_in: 3, lost: 4, frames_out: 5, bytes_out: 6, errors_out: 7 });
    panel
}

#[test]
fn the_picture_fits_every_screen() {
    for (rows, shown) in [(25, 3), (43, 6), (50, 7)] {
        let panels: Vec<Panel> = (0..9).map(|number| panel(0x60 + number)).collect();
        let (mut video, mut screen) = (Video::new(), Screen::new());
        video.draw(&mut screen, rows, &panels);
        assert_eq!(video.written, rows * COLUMNS, "the first picture is written as a whole");
        assert!(video.cells[rows * COLUMNS..].iter().all(|cell| *cell == 0xEEEE), "and nothing below it");
        for number in 0..shown {
            let top = 2 + number * PANEL;
            assert_eq!(video.text(top), format!("INT {:x}h  ne2000           02:00:00:00:00:{:X}    link up", 0x60 + number, 0x60 + number));
            assert_eq!(video.text(top + 3), "  in  4000000001 frames  4000000002 bytes        3 errors          4 not taken");
            assert_eq!(video.text(top + 4), "  out          5 frames           6 bytes        7 errors full bar       1000");
        }
        assert_eq!(video.text(rows - 1), format!(" Esc or Q leaves   D is a DOS shell   R resets the bars   {:>2} more do not fit", 9 - shown));
        assert!(shown <= DRIVERS);
    }
}

#[test]
fn only_changed_cells_are_written() {
    let mut panels = [panel(0x60), panel(0x61)];
    let (mut video, mut screen) = (Video::new(), Screen::new());
    video.draw(&mut screen, 25, &panels);
    video.draw(&mut screen, 25, &panels);
    assert_eq!(video.written, 0, "the same picture again");
    panels[1].counts.as_mut().unwrap().errors_in = 4;
    video.draw(&mut screen, 25, &panels);
    assert_eq!(video.written, 1, "one digit");
    screen.forget();
    video.draw(&mut screen, 25, &panels);
    assert_eq!(video.written, 25 * COLUMNS, "after a shell all is written");
}

#[test]
fn random_rows_arrive_as_they_are_made() {
    let mut random = Random::new(50);
    let (mut cells, mut screen) = (vec![0xEEEE; COLUMNS], Screen::new());
    let mut letters = vec![b'.'; COLUMNS];
    for round in 0..2000 {
        for _ in 0..random.below(4) {
            letters[random.below(COLUMNS)] = random.of(b"abc");
        }
        let mut row = Row::new(PLAIN);
        row.bytes(&letters);
        let old = cells.clone();
        let mut written = 0;
        screen.show(0, &row, &mut |at, new| {
            cells[at..at + new.len()].copy_from_slice(new);
            written += new.len();
        });
        assert_eq!(cells, row.cells(), "round {round}");
        assert_eq!(written, old.iter().zip(&cells).filter(|(old, new)| old != new).count(), "round {round}");
    }
}

#[test]
fn a_row_keeps_to_its_columns() {
    let mut row = Row::new(PLAIN);
    row.text("a\x01b\0c").number(0, 3).number(u32::MAX, 0).hex(0xA5).column(20).number(7, 90);
    let text: String = row.cells().iter().map(|cell| char::from(*cell as u8)).collect();
    assert_eq!(text, format!("{:<80}", "a.b  04294967295A5"));
}

#[test]
fn bars_are_in_proportion() {
    let bar = |value, most| {
        let mut row = Row::new(PLAIN);
        row.bar(value, most, 50);
        row.cells()[..50].iter().filter(|cell| **cell as u8 == 0xDB).count()
    };
    for (value, most, blocks) in [
        (0, 0, 0), (0, 1000, 0), (1, 1000, 1), (500, 1000, 25), (999, 1000, 49), (1000, 1000, 50), (2000, 1000, 50), (7, 0, 1),
        (u32::MAX, u32::MAX, 50), (u32::MAX / 2, u32::MAX, 24), (1, u32::MAX, 1), (u32::MAX, 1, 50),
    ] {
        assert_eq!(bar(value, most), blocks, "{value} of {most}");
    }
}

#[test]
fn rates_are_those_of_a_second() {
    for (change, ticks, rate) in [(182, 10, 331), (0, 18, 0), (1000, 0, 0), (100, 18, 101), (1_250_000, 18, 1_263_888), (u32::MAX, 18, 4_294_967_292), (u32::MAX, 1, u32::MAX)] {
        assert_eq!(a_second(change, ticks), rate, "{change} in {ticks} ticks");
    }
    let mut random = Random::new(18);
    for _ in 0..10_000 {
        let (change, ticks) = (random.word() >> random.below(32), 1 + random.below(1000) as u16);
        let exact = f64::from(change) * 18.2 / f64::from(ticks);
        let got = f64::from(a_second(change, ticks));
        assert!((got - exact).abs() <= exact * 0.02 + 18.2 || got == f64::from(u32::MAX) && exact > got, "{change} in {ticks} ticks: {got}, not {exact}");
    }
    // A counter that wraps counts on.
    let mut rates = Rates::new();
    let old = Counts { bytes_in: u32::MAX - 99, ..Counts::default() };
    rates.take(&old, &Counts { bytes_in: 82, ..old }, 18);
    assert_eq!(rates.bytes_in, 184);
}

#[test]
fn a_full_bar_is_a_round_number() {
    let mut rates = Rates::new();
    assert_eq!(rates.scale(), 1000);
    // 91 ticks are five seconds.
    for (bytes, scale) in [(5000, 1000), (5005, 2000), (24_990, 5000), (25_050, 10_000), (6_250_000, 2_000_000), (600, 2_000_000), (u32::MAX, 1_000_000_000)] {
        let new = Counts { bytes_out: bytes, ..Counts::default() };
        rates.take(&Counts::default(), &new, 91);
        assert_eq!(rates.scale(), scale, "{bytes} bytes in 5 s");
    }
    rates.take(&Counts::default(), &Counts { bytes_in: u32::MAX, ..Counts::default() }, 18);
    assert_eq!(rates.scale(), u32::MAX);
    rates.reset();
    assert_eq!(rates.scale(), 1000);
}
