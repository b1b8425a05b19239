//! Figures that are not to be lost: below those of the packet drivers that people had for these cards, which
//! `tools/bench --peer` measured in the same machine. Instructions are counted with `-icount`: they are the same everywhere.

use super::runner::{Test, Verdict};
use crate::bench;
use crate::bench::table::Cost;
use crate::nics::NICS;
use crate::pack::{self, Units};

/// Another driver's figures.
#[derive(Clone, Copy)]
struct Peer {
    /// The card, as our driver is called.
    nic: &'static str,
    /// Bytes that it keeps.
    resident: u32,
    /// Instructions.
    cost: Cost,
}

/// Crynwr's 3C509.COM (11.2) and NE2000.COM; what the second one keeps is the goal below its 4,656 bytes.
const PEERS: [Peer; 2] = [
    Peer { nic: "el3", resident: 3_440, cost: Cost { send: [101, 465], receive: [196, 570], whole: [274, 648] } },
    Peer { nic: "ne2000", resident: 4_000, cost: Cost { send: [355, 1_082], receive: [343, 1_070], whole: [441, 1_168] } },
];

/// The tests.
pub fn tests() -> Vec<Test> {
    PEERS.iter().map(|peer| Test::new(format!("qemu/{}/below-peer", peer.nic), move |_| below(peer))).collect()
}

/// Fewer bytes, and fewer instructions for every kind of frame.
fn below(peer: &Peer) -> Verdict {
    let nic = NICS.iter().find(|nic| nic.name == peer.nic).ok_or("there is no such NIC")?;
    let units = pack::build().and_then(|_| Units::read(&pack::binaries())).map_err(|error| error.to_string())?;
    let row = bench::figures(nic, &units).map_err(|error| error.to_string())?;
    let all = |cost: Cost| [cost.send, cost.receive, cost.whole];
    let fewer = all(row.cost).as_flattened().iter().zip(all(peer.cost).as_flattened()).all(|(ours, theirs)| ours < theirs);
    if fewer && row.resident < peer.resident {
        return Ok(());
    }
    Err(format!("{} bytes and {:?}, not below {} and {:?}", row.resident, row.cost, peer.resident, peer.cost))
}
