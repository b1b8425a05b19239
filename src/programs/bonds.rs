//! `PKTCTL bond`: what can be said behind it, the states of a bond's NICs in words, and the rows of its live screen. The host
//! tests run this.

use super::net::Ip;
use super::options::{ip, number, same};
use super::rates::{a_second, full_bar};
use super::screen::{BRIGHT, GREEN, PLAIN, REVERSE, Row as Line, Screen};
use crate::bond::{Fields, NICS, Row, STANDBY, TRUNK};
use crate::info::NOT_PCI;

/// The modes, by their numbers (src/bond/mod.rs), as `/MODE=` names them.
pub static MODES: [&str; 5] = ["STANDBY", "ACTIVE_ACTIVE", "TRUNK", "LACP", "LACP_SLOW"];
/// The algorithms, by their numbers (src/bond/flows.rs), as `/LB=` names them.
pub static ALGORITHMS: [&str; 5] = ["ROUND_ROBIN", "WEIGHTED", "HASH", "LEAST", "ADAPTIVE"];

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All but the last.
    Status,
    /// The NICs, one a line.
    Nics,
    /// How flows are spread.
    Policy,
    /// When a NIC is left, and when it comes back.
    Health,
    /// Counters.
    Metrics,
    /// The words.
    Help,
}

/// The words for the parts.
pub static PARTS: [(&str, Part, &str); 6] = [
    ("status", Part::Status, "all of this, as PKTCTL bond alone"),
    ("nics", Part::Nics, "the cards: place, link, state, frames, flows"),
    ("policy", Part::Policy, "which card a flow gets"),
    ("health", Part::Health, "when a card is left, and used again"),
    ("metrics", Part::Metrics, "how often that happened, and what came twice"),
    ("help", Part::Help, "these lines"),
];

/// What is changed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The algorithm.
    Algorithm(u8),
    /// Units of 16 ticks for which a flow may pause.
    Sticky(u8),
    /// Misses.
    Failover(u8),
    /// Ticks of a period.
    Period(u16),
    /// Ticks for which a NIC must be well.
    Hold(u16),
    /// The address that each NIC asks for; zeros: none.
    Target(Ip),
    /// The NIC with this number, counted from 0, is taken out,
    Out(u8),
    /// or put back.
    In(u8),
}

/// The names of the changes: with an example, and what it is.
pub static CHANGES: [(&str, &str, &str); 8] = [
    ("LB", "ADAPTIVE", "ROUND_ROBIN, WEIGHTED, HASH, LEAST or ADAPTIVE"),
    ("STICKY", "60", "seconds for which a flow may pause, 3 to 175"),
    ("FAILOVER", "3", "misses after which a card is left, 1 to 100"),
    ("HEALTH", "5", "seconds in which a card may have a miss, 1 to 60"),
    ("HOLD", "2", "seconds until a card is used again, 0 to 60"),
    ("TARGET", "10.0.0.1", "a station that each card asks for; NONE: no more"),
    ("OUT", "2", "take a card out, by its number in the list"),
    ("IN", "2", "put it back"),
];

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To see it.
    See(Part),
    /// To change it.
    Set(Change),
}

/// The word is none of [`PARTS`], nor the name one of [`CHANGES`].
pub const NO_WORD: &str = "no such word";
/// The value is none that the name takes.
pub const NO_VALUE: &str = "not a value that this name takes";

/// Ticks of so many seconds.
const fn ticks(seconds: u32) -> u16 {
    (seconds * 182 / 10) as u16
}

/// Seconds of so many ticks, to the nearest.
pub const fn seconds(ticks: u32) -> u32 {
    (ticks * 10 + 91) / 182
}

/// Ticks of a flow's unit.
pub const UNIT: u32 = 16;

/// Reads the word behind `PKTCTL bond`; an empty one is `status`.
///
/// # Errors
/// What is wrong with it.
pub fn wish(word: &[u8]) -> Result<Wish, &'static str> {
    if word.is_empty() {
        return Ok(Wish::See(Part::Status));
    }
    if let Some((_, part, _)) = PARTS.iter().find(|(name, _, _)| same(word, name)) {
        return Ok(Wish::See(*part));
    }
    let at = word.iter().position(|byte| matches!(byte, b'=' | b':')).unwrap_or(word.len());
    let (name, value) = (word.get(..at).unwrap_or(&[]), word.get(at + 1..).unwrap_or(&[]));
    let index = CHANGES.iter().position(|(of, _, _)| same(name, of)).ok_or(NO_WORD)?;
    change(index, value).map(Wish::Set).ok_or(NO_VALUE)
}

fn change(index: usize, value: &[u8]) -> Option<Change> {
    let within = |least: u32, most: u32| number(value).filter(|number| (least..=most).contains(number));
    Some(match index {
        0 => Change::Algorithm(ALGORITHMS.iter().position(|name| same(value, name))? as u8),
        1 => Change::Sticky(((ticks(within(3, 175)?) as u32 + UNIT / 2) / UNIT) as u8),
        2 => Change::Failover(within(1, 100)? as u8),
        3 => Change::Period(ticks(within(1, 60)?)),
        4 => Change::Hold(ticks(within(0, 60)?)),
        5 if same(value, "NONE") => Change::Target([0; 4]),
        5 => Change::Target(ip(value).filter(|ip| matches!(ip[0], 1..=223))?),
        6 => Change::Out(within(1, NICS as u32)? as u8 - 1),
        _ => Change::In(within(1, NICS as u32)? as u8 - 1),
    })
}

/// What a NIC does, or why it does nothing.
pub fn state(row: &Row, is_active: bool, mode: u8) -> &'static str {
    match (row.state, mode) {
        (state, _) if state & Row::OUT != 0 => "taken out",
        (state, _) if state & Row::NO_LINK != 0 => if mode > TRUNK { "no link or partner" } else { "no link" },
        (state, _) if state & Row::SILENT != 0 => "silent",
        (state, _) if state & Row::USABLE == 0 => "waits",
        (_, STANDBY) => if is_active { "active" } else { "stands by" },
        _ if is_active || mode >= TRUNK => "sends and receives",
        _ => "sends",
    }
}

/// Whether another NIC than this one may be used. One that was taken out a moment ago may still be marked as usable.
pub fn is_dispensable(rows: &[Row], number: u8) -> bool {
    rows.iter().enumerate().any(|(other, row)| other != number as usize && row.state & (Row::USABLE | Row::UNWELL) == Row::USABLE)
}

/// A NIC on the live screen.
#[derive(Clone, Copy, Debug)]
pub struct Bars {
    /// Its place on PCI, or [`NOT_PCI`],
    pub pci: u16,
    /// and its first port.
    pub io: u16,
    /// Its row.
    pub row: Row,
    /// Frames a second that it sends,
    pub sent: u32,
    /// and receives.
    pub received: u32,
}

impl Bars {
    /// Nothing is known.
    pub const NONE: Bars = Bars { pci: NOT_PCI, io: 0, row: Row::NEW, sent: 0, received: 0 };

    /// Takes the row as it is `passed` ticks later.
    pub fn take(&mut self, row: &Row, passed: u16) {
        let rate = |old: u32, new: u32| a_second(new.wrapping_sub(old), passed);
        self.sent = rate(self.row.sent, row.sent);
        self.received = rate(self.row.received, row.received);
        self.row = *row;
    }
}

/// Rows of a NIC on the screen, with the empty one behind it.
pub const PANEL: usize = 4;
const BAR: usize = 40;
/// Frames a second of a full bar, at least.
const LEAST: u32 = 10;

/// Writes a NIC's place.
fn place(line: &mut Line, pci: u16, io: u16) {
    if pci == NOT_PCI {
        line.text("port ").hex((io >> 8) as u8).hex(io as u8).text("h");
    } else {
        line.text("PCI ").hex((pci >> 8) as u8).text(":").hex((pci >> 3) as u8 & 31).text(".").number(pci as u32 & 7, 1);
    }
}

/// Draws a bond. `algorithm`: its name, if it has a flow table.
pub fn draw(screen: &mut Screen, rows: usize, bond: (&Fields, u8, &str), nics: &[Bars], every: u16, write: &mut dyn FnMut(usize, &[u16])) {
    let (fields, vector, algorithm) = bond;
    let mut head = Line::new(REVERSE);
    head.text(" Bond on INT ").hex(vector).text("h  ").text(MODES.get(fields.mode as usize).copied().unwrap_or("?")).text("  ").text(algorithm);
    head.column(48).text("moves").number(fields.moves as u32, 6).column(62).text("every").number(every as u32, 4).text(" s");
    screen.show(0, &head, write);
    let most = nics.iter().fold(0, |most, nic| most.max(nic.sent).max(nic.received));
    let full = full_bar(most, LEAST);
    let fit = rows.saturating_sub(3) / PANEL;
    let active = fields.active.wrapping_sub(fields.first) / Row::SIZE;
    for at in 1..rows.saturating_sub(1) {
        let (number, part) = (at.saturating_sub(2) / PANEL, at.saturating_sub(2) % PANEL);
        let mut line = Line::new(if part == 0 { BRIGHT } else { PLAIN });
        if let Some(nic) = nics.get(number).filter(|_| at >= 2 && number < fit) {
            match part {
                0 => {
                    line.number(number as u32 + 1, 3).text("  ");
                    place(&mut line, nic.pci, nic.io);
                    line.column(18).text(state(&nic.row, number == active as usize, fields.mode));
                    line.column(40).text("flows").number(nic.row.given as u32, 6);
                    line.column(54).text("misses").number(nic.row.misses as u32, 4);
                }
                1 | 2 => {
                    let (name, rate) = if part == 1 { ("     out", nic.sent) } else { ("     in ", nic.received) };
                    line.text(name).number(rate, 9).text(" frames/s  ").color(GREEN).bar(rate, full, BAR);
                }
                _ => {}
            }
        }
        screen.show(at, &line, write);
    }
    let mut foot = Line::new(REVERSE);
    foot.text(" Esc or Q leaves   D is a DOS shell").column(46).text("full bar").number(full, 8).text(" frames/s");
    screen.show(rows.saturating_sub(1), &foot, write);
}
