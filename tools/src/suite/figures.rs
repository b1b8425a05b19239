//! Limits for the driver's figures: below those of the packet drivers that existed for these cards, which `tools/bench --peer`
//! measured in the same machine; for cards that never had one, near those of `e1000e`; and register accesses. Instructions are counted with `-icount`, accesses in QEMU's trace:
//! both are the same on every host.

use std::io;

use compkt::resident::table;

use super::runner::{Test, Verdict};
use crate::bench;
use crate::bench::table::{Cost, Row};
use crate::nics::{NICS, Nic};
use crate::pack::{self, Units};

/// Another driver's figures.
#[derive(Clone, Copy)]
struct Peer {
    /// The card, by the name of this project's driver.
    nic: &'static str,
    /// Resident bytes.
    resident: u32,
    /// Instructions.
    cost: Cost,
}

/// Crynwr's 3C509.COM (11.2) and NE2000.COM. The second one keeps 4,656 bytes; the limit here is the goal below that.
const PEERS: [Peer; 2] = [
    Peer { nic: "el3", resident: 3_440, cost: Cost { send: [101, 465], receive: [196, 570], whole: [274, 648] } },
    Peer { nic: "ne2000", resident: 4_000, cost: Cost { send: [355, 1_082], receive: [343, 1_070], whole: [441, 1_168] } },
];

/// Cards of a hypervisor, for which an access takes longer than all instructions of a frame: accesses for a frame sent, received
/// alone, and received in a burst.
const ACCESSES: [(&str, [f32; 3]); 1] = [("vmxnet3", [3.0, 2.0, 2.0 / bench::BURST as f32])];

/// Newer cards with rings: the most resident bytes with XMS, and without.
const MODERN: [(&str, u32, u32); 2] = [("rtl8169", 4_600, 12_288), ("rtl8125", 4_600, 12_288)];
/// The most instructions for a frame on these cards, in percent of those on `e1000e`.
const MODERN_PERCENT: u32 = 110;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> =
        PEERS.iter().map(|peer| Test::new(format!("qemu/{}/below-peer", peer.nic), move |_| below(peer))).collect();
    for (nic, most, most_low) in MODERN {
        let test = Test::new(format!("qemu/{nic}/figures"), move |_| modern(nic, most, most_low)).takes(10);
        tests.push(Test { slow: true, ..test });
    }
    for (nic, most) in ACCESSES {
        tests.push(Test::new(format!("qemu/{nic}/register-accesses"), move |_| few_accesses(nic, most)));
    }
    tests
}

/// The figures of this project's driver, by one of bench's functions.
fn measured_by(name: &str, measure: fn(&Nic, &Units) -> io::Result<Row>) -> Result<Row, String> {
    let nic = NICS.iter().find(|nic| nic.name == name).ok_or("there is no such NIC")?;
    let units = pack::build().and_then(|_| Units::read(&pack::binaries())).map_err(|error| error.to_string())?;
    measure(nic, &units).map_err(|error| error.to_string())
}

fn measured(name: &str) -> Result<Row, String> {
    measured_by(name, bench::figures)
}

/// Instructions for each kind of frame.
fn all(cost: Cost) -> [[u32; 2]; 3] {
    [cost.send, cost.receive, cost.whole]
}

/// Few bytes, with XMS and without; few instructions for every kind of frame.
fn modern(name: &str, most: u32, most_low: u32) -> Verdict {
    let (row, other) = (measured_by(name, bench::ours)?, measured("e1000e")?);
    if row.resident > most || row.without_xms.is_none_or(|bytes| bytes > most_low) {
        return Err(format!("{} bytes, and {:?} without XMS; at most {most} and {most_low}", row.resident, row.without_xms));
    }
    let few = all(row.cost).as_flattened().iter().zip(all(other.cost).as_flattened()).all(|(ours, theirs)| ours * 100 <= theirs * MODERN_PERCENT);
    if few { Ok(()) } else { Err(format!("{:?}, and on e1000e {:?}", row.cost, other.cost)) }
}

/// A frame takes no more register accesses than the card needs.
fn few_accesses(name: &str, most: [f32; 3]) -> Verdict {
    let counts = measured(name)?.accesses.ok_or("nothing was counted")?.per_frame();
    let few = counts.iter().zip(most).all(|(count, most)| *count != 0.0 && *count <= most);
    if few { Ok(()) } else { Err(format!("{counts:?} register accesses for a frame sent, received, and in a burst, not {most:?}")) }
}

/// The driver has fewer bytes, and fewer instructions for every kind of frame; interrupts are off no longer than for a burst.
fn below(peer: &Peer) -> Verdict {
    let row = measured(peer.nic)?;
    let fewer = all(row.cost).as_flattened().iter().zip(all(peer.cost).as_flattened()).all(|(ours, theirs)| ours < theirs);
    // A burst, and the beginning and the end of the entry, which take less than another frame.
    let [short, long] = row.cost.whole.map(|whole| whole * (u32::from(table::BURST) + 1));
    if row.closed[0] > short || row.closed[1] > long {
        return Err(format!("interrupts are off for {:?} instructions, not for {short} and {long} at most", row.closed));
    }
    if fewer && row.resident < peer.resident {
        return Ok(());
    }
    Err(format!("{} bytes and {:?}, not below {} and {:?}", row.resident, row.cost, peer.resident, peer.cost))
}
