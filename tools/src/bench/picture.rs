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

/// Where the picture is kept, from the repository's folder.
pub const FILE: &str = "tools/pictures/peers.svg";

/// A driver's line, its bars, and the distance between the cards.
const LINE: u32 = 18;
const BAR: u32 = 12;
const GAP: u32 = 7;
/// The picture, its margin, and the left ends of its three columns of bars.
const WIDTH: u32 = 940;
const MARGIN: u32 = 24;
const BYTES: u32 = 190;
const SENT: u32 = 608;
const RECEIVED: u32 = 766;
/// What a unit of width stands for: bytes, and instructions.
const BYTES_WIDE: u32 = 152;
const INSTRUCTIONS_WIDE: u32 = 4;

/// The colours, for light and for dark pages. Both have a ground of their own.
const STYLE: &str = "\
.ground{fill:#fff;stroke:#d0d7de}text{fill:#1f2328;font:12px sans-serif}.title{font-size:17px;font-weight:bold}\
.ours{fill:#14805a}.peer{fill:#b3bcc7}.bold{font-weight:bold}.small{font-size:11px;fill:#59636e}.rule{stroke:#d0d7de}\n\
@media (prefers-color-scheme:dark){.ground{fill:#0d1117;stroke:#3d444d}text{fill:#e6edf3}.ours{fill:#2fa878}.peer{fill:#57616d}\
.small{fill:#9aa4af}.rule{stroke:#3d444d}}";

/// What stands below the bars.
const SOURCES: [&str; 4] = [
    "3COMPKT: tools/bench, in QEMU; loaded by DEVICE= with 8 handles and XMS. To send: the call of send_pkt and its interrupts.",
    "To receive: the whole interrupt of one frame. The client\u{2019}s own instructions are taken off.",
    "Others: bytes as DOS counts them. run: loaded under FreeDOS in QEMU. read: in the program\u{2019}s own call by which it stays in",
    "memory. Instructions: tools/bench --peer FILE, with the same card. \u{2013}: not measured.",
];

/// A picture that grows downwards.
struct Picture {
    text: String,
    y: u32,
}

impl Picture {
    fn words(&mut self, x: u32, class: &str, words: &str) {
        let _ = writeln!(self.text, "<text x=\"{x}\" y=\"{}\" class=\"{class}\">{words}</text>", self.y);
    }

    fn rule(&mut self) {
        let (y, end) = (self.y, WIDTH - MARGIN);
        let _ = writeln!(self.text, "<line x1=\"{MARGIN}\" x2=\"{end}\" y1=\"{y}\" y2=\"{y}\" class=\"rule\"/>");
    }

    fn line(&mut self, driver: &str) {
        let _ = writeln!(self.text, "<g transform=\"translate(0 {})\">{driver}</g>", self.y);
        self.y += LINE;
    }

    /// Cards with their peers, or those without.
    fn cards(&mut self, rows: &[Row], with_peers: bool) {
        for row in rows {
            let peers: Vec<&Peer> = PEERS.iter().filter(|peer| peer.nic == row.name).collect();
            if peers.is_empty() == with_peers {
                continue;
            }
            self.line(&ours(row));
            for peer in &peers {
                self.line(&driver("peer", peer.name, peer.resident, peer.known, peer.cost));
            }
            self.y += if with_peers { GAP } else { 0 };
        }
    }
}

/// The line of a driver, from the line's own top. `known` stands behind its bytes.
fn driver(class: &str, name: &str, resident: u32, known: &str, cost: Option<Cost>) -> String {
    let weight = if class == "ours" { "bold" } else { "" };
    let mut text = format!("<text x=\"{MARGIN}\" y=\"{BAR}\" class=\"{weight}\">{name}</text>");
    let mut bar = |x: u32, width: u32, words: &str| {
        let _ = write!(text, "<rect x=\"{x}\" y=\"2\" width=\"{width}\" height=\"{BAR}\" rx=\"2\" class=\"{class}\"/>");
        let _ = write!(text, "<text x=\"{}\" y=\"{BAR}\" class=\"{weight}\">{words}</text>", x + width + 6);
    };
    let known = if known.is_empty() { String::new() } else { format!(" <tspan class=\"small\">{known}</tspan>") };
    bar(BYTES, resident / BYTES_WIDE, &format!("{}{known}", grouped(resident)));
    match cost {
        Some(Cost { send: [sent, _], whole: [received, _], .. }) => {
            bar(SENT, sent / INSTRUCTIONS_WIDE, &sent.to_string());
            bar(RECEIVED, received / INSTRUCTIONS_WIDE, &received.to_string());
        }
        None => [SENT, RECEIVED].into_iter().for_each(|x| {
            let _ = write!(text, "<text x=\"{x}\" y=\"{BAR}\" class=\"small\">\u{2013}</text>");
        }),
    }
    text
}

/// The line of this project's driver.
pub fn ours(row: &Row) -> String {
    driver("ours", &row.name, row.resident, "", Some(row.cost))
}

/// The picture: a bar for each driver's resident bytes, and for its instructions for a frame of 60 bytes.
pub fn svg(rows: &[Row]) -> String {
    let mut picture = Picture { text: String::new(), y: MARGIN + 14 };
    picture.words(MARGIN, "title", "What stays in memory, and what a frame costs");
    picture.y += 22;
    for (x, class, words) in [(MARGIN, "ours", "3COMPKT, by the name of its driver"), (MARGIN + 250, "peer", "another packet driver for the same card")] {
        let y = picture.y - 10;
        let _ = writeln!(picture.text, "<rect x=\"{x}\" y=\"{y}\" width=\"{BAR}\" height=\"{BAR}\" rx=\"2\" class=\"{class}\"/>");
        picture.words(x + BAR + 6, "", words);
    }
    picture.y += 30;
    for (x, words) in [(BYTES, "resident bytes"), (SENT, "instructions to send"), (RECEIVED, "\u{2026} to receive 60 bytes")] {
        picture.words(x, "bold", words);
    }
    picture.y += GAP;
    picture.rule();
    picture.y += GAP;
    picture.cards(rows, true);
    picture.rule();
    picture.y += LINE;
    picture.words(MARGIN, "small", "Cards whose other packet drivers, if there are any, were not measured:");
    picture.y += GAP + 4;
    picture.cards(rows, false);
    picture.y += GAP;
    picture.rule();
    picture.y += 5;
    for line in SOURCES {
        picture.y += 15;
        picture.words(MARGIN, "small", line);
    }
    let (text, height) = (picture.text, picture.y + MARGIN);
    let (inner, below) = (WIDTH - 1, height - 1);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>Resident bytes and instructions for a frame of 3COMPKT's drivers and of other packet drivers</title>\n<style>{STYLE}</style>\n\
         <rect x=\".5\" y=\".5\" width=\"{inner}\" height=\"{below}\" rx=\"8\" class=\"ground\"/>\n{text}</svg>\n"
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
        let text = svg(std::slice::from_ref(&row));
        for words in [">el3<", ">3,424<", ">100<", ">249<", ">Crynwr 3C509 11.2<", ">3,440 <", ">101<", ">274<", ">6,032 <"] {
            assert_eq!(text.matches(words).count(), 1, "{words} in {text}");
        }
        // Three for each driver, but the last one has no instructions; the ground, and two that explain the colours.
        assert_eq!(text.matches("<rect ").count(), 3 * 3 - 2 + 3, "{text}");
        assert!(text.contains(&ours(&row)), "{text}");
    }

    #[test]
    fn a_card_without_a_peer_stands_below_the_others() {
        let row = |name: &str| Row { name: name.into(), ..Row::default() };
        let text = svg(&[row("vortex"), row("el3")]);
        let place = |words: &str| text.find(words).unwrap();
        assert!(place(">el3<") < place(">3Com 3C5X9PD 1.1<") && place(">3Com 3C5X9PD 1.1<") < place(">vortex<"), "{text}");
    }
}
