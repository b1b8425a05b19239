//! `tools/bench --svg`: the drivers beside what a user would load instead, as a picture for the README.

use std::fmt::Write;

use super::table::{Cost, Row};

/// Another packet driver: for which of our drivers' cards, its name, its resident bytes as DOS accounts them, and how these are known.
pub struct Peer {
    /// Our driver of that card.
    pub nic: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Resident bytes.
    pub resident: u32,
    /// `run`: measured under FreeDOS in QEMU; `read`: in the program's own call that makes it stay.
    pub known: &'static str,
    /// Instructions, where `tools/bench --peer` measured them.
    pub cost: Option<Cost>,
}

/// Crynwr's 3C509.COM (11.2), on the model.
pub const CRYNWR_3C509: Cost = Cost { send: [101, 465], receive: [196, 570], whole: [274, 648] };
/// Crynwr's NE2000.COM (11.4.3).
pub const CRYNWR_NE2000: Cost = Cost { send: [355, 1_082], receive: [343, 1_070], whole: [441, 1_168] };

/// What there is for these cards.
pub const PEERS: [Peer; 10] = [
    Peer { nic: "el3", name: "Crynwr 3C509 11.2", resident: 3_440, known: "read", cost: Some(CRYNWR_3C509) },
    Peer { nic: "el3", name: "3Com 3C5X9PD 1.1", resident: 6_032, known: "read", cost: None },
    Peer { nic: "ne2000", name: "Crynwr NE2000 11.4.3", resident: 4_656, known: "run", cost: Some(CRYNWR_NE2000) },
    Peer { nic: "ne2k_pci", name: "8029PKT 1.1", resident: 5_008, known: "run", cost: None },
    Peer { nic: "e1000", name: "E1000PKT 0.50", resident: 10_832, known: "read", cost: None },
    Peer { nic: "pcnet", name: "PCNTPK 3.10", resident: 18_608, known: "run", cost: None },
    Peer { nic: "rtl8139", name: "RTSPKT 3.40", resident: 26_144, known: "run", cost: None },
    Peer { nic: "i8255x", name: "E100BPKT", resident: 12_160, known: "run", cost: None },
    Peer { nic: "tulip", name: "DC21X4 2.62", resident: 47_536, known: "run", cost: None },
    Peer { nic: "boomerang", name: "3C90XPD 5.2.6", resident: 30_384, known: "read", cost: None },
];

/// Height of a line.
const LINE: u32 = 15;
/// Where bars begin, and where the columns of instructions end.
const BAR: u32 = 160;
const SENT: u32 = 730;
const RECEIVED: u32 = 870;
const WIDTH: u32 = 890;
/// Bytes for a unit of width.
const BYTES: u32 = 120;

/// A picture that grows downwards.
struct Picture {
    text: String,
    y: u32,
}

impl Picture {
    fn words(&mut self, x: u32, anchor: &str, words: &str) {
        let _ = writeln!(self.text, "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\" fill=\"#222\">{words}</text>", self.y);
    }

    /// The line of a driver. `known` stands behind its bytes.
    fn driver(&mut self, name: &str, resident: u32, known: &str, cost: Option<Cost>, color: &str) {
        let width = resident / BYTES;
        let (y, height) = (self.y - 10, LINE - 3);
        let _ = writeln!(self.text, "<rect x=\"{BAR}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>");
        self.words(BAR - 8, "end", name);
        self.words(BAR + width + 6, "start", &format!("{}{known}", grouped(resident)));
        if let Some(Cost { send: [sent, _], whole: [received, _], .. }) = cost {
            self.words(SENT, "end", &sent.to_string());
            self.words(RECEIVED, "end", &received.to_string());
        }
        self.y += LINE;
    }
}

/// The picture: a bar for each driver's resident bytes, and its instructions for a frame of 60 bytes.
pub fn svg(rows: &[Row]) -> String {
    let mut picture = Picture { text: String::new(), y: 2 * LINE };
    picture.words(BAR, "start", "resident bytes");
    picture.words(SENT, "end", "instructions to send");
    picture.words(RECEIVED, "end", "and receive 60 bytes");
    picture.y += LINE;
    for row in rows {
        picture.y += LINE / 3;
        picture.driver(&format!("3COMPKT {}", row.name), row.resident, "", Some(row.cost), "#1b7f5c");
        for peer in PEERS.iter().filter(|peer| peer.nic == row.name) {
            picture.driver(peer.name, peer.resident, &format!(" ({})", peer.known), peer.cost, "#b9b9b9");
        }
    }
    let (text, height) = (picture.text, picture.y);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{text}</svg>\n"
    )
}

/// A number with a comma before each three digits.
fn grouped(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", grouped(number / 1_000), number % 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_driver_has_a_bar_of_its_bytes_and_its_instructions() {
        let row = Row { name: "el3".into(), resident: 3_424, cost: Cost { send: [100, 464], receive: [192, 560], whole: [249, 617] }, ..Row::default() };
        let text = svg(&[row]);
        for words in [">3COMPKT el3<", ">3,424<", ">100<", ">249<", ">Crynwr 3C509 11.2<", ">3,440 (read)<", ">101<", ">274<", ">6,032 (read)<"] {
            assert_eq!(text.matches(words).count(), 1, "{words} in {text}");
        }
        // The ground, and three drivers.
        assert_eq!(text.matches("<rect ").count(), 4, "{text}");
    }
}
