//! Limits for the driver's figures: below those of the packet drivers that existed for these cards, which `tools/bench --peer`
//! measured in the same machine; and register accesses. Instructions are counted with `-icount`, accesses in QEMU's trace:
//! both are the same on every host.

use compkt::resident::table;

use super::runner::{Test, Verdict};
use crate::bench;
use crate::bench::table::{Cost, Row};
use crate::nics::NICS;
use crate::pack::{self, Units};

/// Figures of a driver.
#[derive(Clone, Copy)]
struct Figures {
    /// The card, by the name of this project's driver.
    nic: &'static str,
    /// Resident bytes.
    resident: u32,
    /// Instructions.
    cost: Cost,
}

/// Crynwr's 3C509.COM (11.2) and NE2000.COM. The second one keeps 4,656 bytes; the limit here is the goal below that.
const PEERS: [Figures; 2] = [
    Figures { nic: "el3", resident: 3_440, cost: Cost { send: [101, 465], receive: [196, 570], whole: [274, 648] } },
    Figures { nic: "ne2000", resident: 4_000, cost: Cost { send: [355, 1_082], receive: [343, 1_070], whole: [441, 1_168] } },
];

/// Cards of a hypervisor, for which an access takes longer than all instructions of a frame: accesses for a frame sent, received
/// alone, and received in a burst.
const ACCESSES: [(&str, [f32; 3]); 2] =
    [("vmxnet3", [3.0, 2.0, 2.0 / bench::BURST as f32]), ("e1000", [1.0, 2.0, 1.0 + 1.0 / bench::BURST as f32])];

/// Limits with rings in XMS or registers above 1 MB. Resident bytes: as many as with limits of 4 GB that were made at each entry.
/// Instructions: `e1000` by itself; the others 40, 80 and 100 below what a frame sent, received, and received with its whole
/// interrupt took then.
const MOST: [Figures; 9] = [
    Figures { nic: "e1000", resident: 4_352, cost: Cost { send: [170, 535], receive: [250, 615], whole: [330, 695] } },
    Figures { nic: "e1000e", resident: 4_416, cost: Cost { send: [183, 548], receive: [290, 655], whole: [381, 746] } },
    Figures { nic: "rtl8139", resident: 4_480, cost: Cost { send: [163, 528], receive: [326, 691], whole: [430, 795] } },
    Figures { nic: "pcnet", resident: 4_288, cost: Cost { send: [182, 547], receive: [306, 671], whole: [398, 763] } },
    Figures { nic: "virtio_net", resident: 4_448, cost: Cost { send: [228, 592], receive: [313, 677], whole: [429, 793] } },
    Figures { nic: "vmxnet3", resident: 4_160, cost: Cost { send: [337, 702], receive: [286, 651], whole: [392, 757] } },
    Figures { nic: "i8255x", resident: 4_416, cost: Cost { send: [206, 571], receive: [242, 607], whole: [338, 703] } },
    Figures { nic: "tulip", resident: 4_496, cost: Cost { send: [168, 533], receive: [246, 611], whole: [339, 704] } },
    Figures { nic: "boomerang", resident: 4_288, cost: Cost { send: [219, 584], receive: [259, 624], whole: [346, 711] } },
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> =
        PEERS.iter().map(|peer| Test::new(format!("qemu/{}/below-peer", peer.nic), move |_| below(peer))).collect();
    for (nic, most) in ACCESSES {
        tests.push(Test::new(format!("qemu/{nic}/register-accesses"), move |_| few_accesses(nic, most)));
    }
    tests.extend(MOST.iter().map(|most| Test::new(format!("qemu/{}/instructions", most.nic), move |_| within(most))));
    tests
}

/// The figures of this project's driver.
fn measured(name: &str) -> Result<Row, String> {
    let nic = NICS.iter().find(|nic| nic.name == name).ok_or("there is no such NIC")?;
    let units = pack::build().and_then(|_| Units::read(&pack::binaries())).map_err(|error| error.to_string())?;
    bench::figures(nic, &units).map_err(|error| error.to_string())
}

/// A frame takes no more register accesses than the card needs.
fn few_accesses(name: &str, most: [f32; 3]) -> Verdict {
    let counts = measured(name)?.accesses.ok_or("nothing was counted")?.per_frame();
    let few = counts.iter().zip(most).all(|(count, most)| *count != 0.0 && *count <= most);
    if few { Ok(()) } else { Err(format!("{counts:?} register accesses for a frame sent, received, and in a burst, not {most:?}")) }
}

/// No more bytes, and no more instructions for any kind of frame.
fn within(most: &Figures) -> Verdict {
    let row = measured(most.nic)?;
    let all = |cost: Cost| [cost.send, cost.receive, cost.whole];
    let few = all(row.cost).as_flattened().iter().zip(all(most.cost).as_flattened()).all(|(count, most)| *count != 0 && count <= most);
    if few && row.resident <= most.resident {
        return Ok(());
    }
    Err(format!("{} bytes and {:?}, not {} and {:?}", row.resident, row.cost, most.resident, most.cost))
}

/// Fewer bytes, fewer instructions for every kind of frame, and interrupts off for no longer than a burst.
fn below(peer: &Figures) -> Verdict {
    let row = measured(peer.nic)?;
    let all = |cost: Cost| [cost.send, cost.receive, cost.whole];
    let fewer = all(row.cost).as_flattened().iter().zip(all(peer.cost).as_flattened()).all(|(ours, theirs)| ours < theirs);
    // Interrupts are off for a burst and for the way in and out.
    let [short, long] = row.cost.whole.map(|whole| whole * (u32::from(table::BURST) + 1));
    if row.closed[0] > short || row.closed[1] > long {
        return Err(format!("interrupts are off for {:?} instructions, not for {short} and {long} at most", row.closed));
    }
    if fewer && row.resident < peer.resident {
        return Ok(());
    }
    Err(format!("{} bytes and {:?}, not below {} and {:?}", row.resident, row.cost, peer.resident, peer.cost))
}
