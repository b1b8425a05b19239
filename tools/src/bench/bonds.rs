//! `tools/bench --bonds` and a part of `--memory`: what a bond costs beyond one NIC.

use std::fmt::Write;
use std::io;

use super::{LIMIT, LOAD_SENDER, SENDER, said, told};
use crate::pack;
use crate::rig::qemu::{Net, Nic, Qemu};
use crate::rig::{Job, Report};
use crate::setup::{self, fail};

/// The modes, by their switches. Without a switch there is no LACP partner in the machine: one card carries all frames.
pub const MODES: [&str; 5] =
    ["/MODE=STANDBY", "/MODE=ACTIVE_ACTIVE /LB=HASH", "/MODE=ACTIVE_ACTIVE /LB=ADAPTIVE", "/MODE=TRUNK", "/MODE=LACP"];
/// Numbers of cards.
const CARDS: [usize; 4] = [2, 4, 8, 16];
/// The most instructions that a bond adds to a sent and to a received frame.
const MOST_SENT: u32 = 150;
const MOST_RECEIVED: u32 = 60;
/// Places on PCI. The first card's interrupt line is its own: firmware gives IRQ 10 to the first place, and IRQ 11 to the others. The
/// cards on a line are asked one after another, with and without a bond.
const PLACES: [u8; 16] = [2, 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23, 24, 27, 28, 31];
/// BENCH's line.
const BENCH: &str = "BENCH /FLOWS=32 /BURST=16";
/// The same behind eleven seconds, in which a bond by LACP has given up waiting for a partner.
const LATER: &str = "BENCH /FLOWS=32 /BURST=16 /SETTLE=200";

/// Instructions for a frame of 60 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    /// Sent, of a flow that is known: the average, and the most.
    known: [u32; 2],
    /// The first of a flow.
    new: [u32; 2],
    /// Received, with the whole interrupt: to the card, and to all stations.
    received: u32,
    group: u32,
    /// Received in bursts of sixteen frames.
    burst: u32,
}

/// BENCH's figures; none if one is missing.
fn cost(text: &str) -> Option<Cost> {
    let pair = |name: &str| {
        let words = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" 60 ")?.split_once(' '))?;
        Some([words.0.parse().ok()?, words.1.parse().ok()?])
    };
    let [received, group] = [pair("receive")?[1], pair("group")?[1]];
    Some(Cost { known: pair("known")?, new: pair("new")?, received, group, burst: pair("burst")?[0] })
}

/// Measures `cards` e1000s with these switches.
fn measured(cards: usize, switches: &str) -> io::Result<Cost> {
    let card = |(number, place): (usize, &u8)| Nic { device: format!("e1000,addr={place:x}"), net: Net::Hub(number as u32) };
    let mut nics: Vec<Nic> = PLACES.iter().take(cards).enumerate().map(card).collect();
    nics.push(Nic { device: SENDER.into(), net: Net::Hub(0) });
    let load = format!("3COMPKT {switches}").trim_end().to_string();
    let bench = if switches.contains("LACP") { LATER } else { BENCH };
    let exec = ["A20 ON", LOAD_SENDER, &load, bench].map(String::from).into();
    let report = Qemu { nics, icount: true, ..Qemu::default() }.run(&Job { files: pack::files()?, exec, limit: LIMIT, ..Job::default() })?;
    let bond = format!("3COMPKT: {cards} NICs, one bond, ");
    if cards > 1 && !said(&report, &load)?.contains(&bond) {
        return Err(fail(format!("no bond of {cards}:\n{}", report.output)));
    }
    cost(said(&report, bench)?).ok_or_else(|| fail(format!("BENCH failed:\n{}", report.output)))
}

/// Measures and prints the table.
///
/// # Errors
/// A driver does not load, or loses frames.
pub fn run() -> io::Result<()> {
    let one = measured(1, "")?;
    print!("{}", head(one));
    for mode in MODES {
        let costs = CARDS.into_iter().map(|cards| measured(cards, mode)).collect::<io::Result<Vec<Cost>>>()?;
        print!("{}", rows(one, mode, &costs));
    }
    println!("at most: of 32 flows. The card that receives has an interrupt line of its own. LACP without a partner: one card carries.");
    Ok(())
}

fn head(one: Cost) -> String {
    let [sent, received] = [one.known[0], one.received];
    let mut text = format!(
        "Instructions for a frame of 60 bytes beyond those on one e1000, which takes {sent} to send one and {received} to receive one\n{:<34}",
        "cards in the bond"
    );
    CARDS.iter().for_each(|cards| text.push_str(&format!("{cards:>7}")));
    text + &format!("{:>8}\n", "limit")
}

/// What each frame takes beyond what it takes on one card.
fn rows(one: Cost, mode: &str, costs: &[Cost]) -> String {
    type Figure = fn(&Cost) -> u32;
    let rows: [(&str, Figure, Option<u32>); 6] = [
        ("sent, on average", |cost| cost.known[0], None),
        ("sent, at most", |cost| cost.known[1], Some(MOST_SENT)),
        ("sent, a flow's first, at most", |cost| cost.new[1], None),
        ("received", |cost| cost.received, Some(MOST_RECEIVED)),
        ("received, in bursts of 16", |cost| cost.burst, Some(MOST_RECEIVED)),
        ("received, to all stations", |cost| cost.group, Some(MOST_RECEIVED)),
    ];
    let mut text = format!("{mode}\n");
    for (name, figure, limit) in rows {
        let _ = write!(text, "  {name:<32}");
        costs.iter().for_each(|cost| text.push_str(&format!("{:>7}", format!("{:+}", i64::from(figure(cost)) - i64::from(figure(&one))))));
        text.push_str(&format!("{:>8}\n", limit.map_or("-".into(), |limit| format!("{limit:+}"))));
    }
    text
}

/// Drivers of several cards: what is loaded, its switches, the most bytes, and the switch for a table of flows whose bytes do not
/// count.
const LOADS: [(&str, &str, u32, u32); 5] = [
    ("two interfaces", "/INT=60,61", 6_400, 0),
    ("a bond, STANDBY", "/MODE=STANDBY", 6_700, 0),
    ("a bond, ACTIVE_ACTIVE", "/MODE=ACTIVE_ACTIVE /FLOWS=64", 6_700, 64 * FLOW),
    ("a bond, TRUNK", "/MODE=TRUNK /FLOWS=64", 6_700, 64 * FLOW),
    ("a bond, LACP", "/MODE=LACP /FLOWS=64", 8_192, 64 * FLOW),
];
/// Bytes of a flow.
const FLOW: u32 = 8;
/// What 64 handles may take beyond 8.
const HANDLES: u32 = 896;

/// Loads a 3C509B and an e1000 by DEVICE= in each way and prints what stays in memory.
///
/// # Errors
/// A driver does not load.
pub fn memory() -> io::Result<String> {
    let mut text = format!("{:<36}{:>9}{:>9}{:>12}{:>9}\n", "bytes of el3 and e1000, with XMS", "resident", "limit", "64 handles", "limit");
    for (name, switches, limit, flows) in LOADS {
        let [few, many] = [loaded(switches)?, loaded(&format!("{switches} /HANDLES=64"))?];
        let _ = writeln!(text, "{name:<36}{:>9}{limit:>9}{:>12}{:>9}", few - flows, format!("+{}", many - few), format!("+{HANDLES}"));
    }
    Ok(text + "Bytes of the table of flows are not counted: 8 for each.\n")
}

/// Bytes that DOS keeps.
fn loaded(switches: &str) -> io::Result<u32> {
    let cards = ["el3", "e1000"].map(|device| Nic { device: device.into(), net: Net::User });
    let plugins = vec![setup::models()?.display().to_string()];
    let line = format!("DEVICE=3COMPKT.SYS /NIC=el3,e1000 {switches}");
    let job = Job { files: pack::files()?, config: vec![line.clone()], exec: vec!["PKTCTL mem".into()], limit: LIMIT, ..Job::default() };
    let report: Report = Qemu { nics: cards.into(), plugins, ..Qemu::default() }.run(&job)?;
    told(&report, &line, "[device resident ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_none_may_be_missing() {
        let text = "ready\nreceive 60 1 2\ngroup 60 3 4\nnew 60 5 6\nknown 60 7 8\nburst 60 9 1\n";
        assert_eq!(cost(text), Some(Cost { known: [7, 8], new: [5, 6], received: 2, group: 4, burst: 9 }));
        assert_eq!(cost(text.strip_suffix("burst 60 9 1\n").unwrap()), None);
    }

    #[test]
    fn a_row_has_what_a_bond_adds_and_the_limit() {
        let cost = |sent: u32| Cost { known: [sent, sent + 1], new: [sent + 9; 2], received: 30, group: 31, burst: 32 };
        let text = head(cost(100)) + &rows(cost(100), "/MODE=STANDBY", &[cost(110), cost(120), cost(130), cost(140)]);
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[4], ["sent,", "at", "most", "+10", "+20", "+30", "+40", "+150"], "{text}");
        assert_eq!(words[6], ["received", "+0", "+0", "+0", "+0", "+60"], "{text}");
    }
}
