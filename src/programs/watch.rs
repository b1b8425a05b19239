//! The picture of `PKTCTL stats --watch`: rates of each driver, and its rows on the screen. The host tests run this.

use super::rates::{Counts, Rates};
use super::screen::{BRIGHT, GREEN, PLAIN, REVERSE, Row, Screen};
use crate::device::MacAddr;

/// Rows of a driver's panel, with the empty one behind it.
pub const PANEL: usize = 6;
/// Drivers that are watched at most: as many as a screen of 50 rows shows.
pub const DRIVERS: usize = (super::screen::ROWS - 3) / PANEL;

const BAR: usize = 30;

/// A driver that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// Its vector.
    pub vector: u8,
    /// Its name, ASCIZ.
    pub name: [u8; 16],
    /// Its address.
    pub address: MacAddr,
    /// Its link: 0 down, 1 up, another number: not known.
    pub link: u8,
    /// Its counters; none: it does not tell them now.
    pub counts: Option<Counts>,
    /// What they changed by.
    pub rates: Rates,
}

impl Panel {
    /// Of a driver on this vector, which is not known yet.
    pub const fn new(vector: u8) -> Panel {
        Panel { vector, name: [0; 16], address: [0; 6], link: 2, counts: None, rates: Rates::new() }
    }

    fn head(&self) -> Row {
        let mut row = Row::new(BRIGHT);
        row.text("INT ").hex(self.vector).text("h  ").bytes(&self.name).column(26).address(&self.address).column(47);
        row.text(match self.link {
            0 => "link down",
            1 => "link up",
            _ => "",
        });
        if self.counts.is_none() {
            row.column(58).text("does not answer");
        }
        row
    }

    fn rate(&self, name: &str, frames: u32, bytes: u32) -> Row {
        let mut row = Row::new(PLAIN);
        row.text(name).number(frames, 9).text(" frames/s").number(bytes, 11).text(" bytes/s  ");
        row.color(GREEN).bar(bytes, self.rates.scale(), BAR);
        row
    }

    /// Row `at` of the panel.
    fn row(&self, at: usize) -> Row {
        let counts = self.counts.unwrap_or_default();
        let mut row = Row::new(PLAIN);
        match at {
            0 => return self.head(),
            1 => return self.rate("  in ", self.rates.frames_in, self.rates.bytes_in),
            2 => return self.rate("  out", self.rates.frames_out, self.rates.bytes_out),
            3 => {
                row.text("  in ").number(counts.frames_in, 11).text(" frames").number(counts.bytes_in, 12).text(" bytes");
                row.number(counts.errors_in, 9).text(" errors").number(counts.lost, 11).text(" not taken")
            }
            4 => {
                row.text("  out").number(counts.frames_out, 11).text(" frames").number(counts.bytes_out, 12).text(" bytes");
                row.number(counts.errors_out, 9).text(" errors").column(58).text("full bar").number(self.rates.scale(), 11)
            }
            _ => &mut row,
        };
        row
    }
}

/// Draws everything.
pub fn draw(screen: &mut Screen, rows: usize, panels: &[Panel], seconds: u16, write: &mut dyn FnMut(usize, &[u16])) {
    let mut head = Row::new(REVERSE);
    head.text(" Packet drivers").column(60).text("every").number(seconds as u32, 5).text(" s");
    screen.show(0, &head, write);
    let fit = rows.saturating_sub(3) / PANEL;
    for at in 1..rows.saturating_sub(1) {
        let place = at.saturating_sub(2);
        let empty = Row::new(PLAIN);
        let row = match panels.get(place / PANEL) {
            Some(panel) if at >= 2 && place / PANEL < fit => panel.row(place % PANEL),
            _ => empty,
        };
        screen.show(at, &row, write);
    }
    let mut foot = Row::new(REVERSE);
    foot.text(" Esc or Q leaves   D is a DOS shell   R resets the bars");
    if panels.len() > fit {
        foot.column(58).number((panels.len() - fit) as u32, 2).text(" more do not fit");
    }
    screen.show(rows.saturating_sub(1), &foot, write);
}
