//! Limits for the driver's figures: below those of the packet drivers that existed for these cards, which `tools/bench --peer`
//! measured in the same machine; for cards that never had one, near those of `e1000e`; and register accesses. Instructions are counted with `-icount`, accesses in QEMU's trace:
//! both are the same on every host.

use std::io;

use compkt::resident::table;

use super::runner::{Test, Verdict};
use crate::bench;
use crate::bench::picture::{self, CRYNWR_3C509, CRYNWR_NE2000};
use crate::bench::table::{Cost, Row};
use crate::nics::{NICS, Nic};
use crate::pack::{self, Units};
use crate::setup;

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
    Figures { nic: "el3", resident: 3_440, cost: CRYNWR_3C509 },
    Figures { nic: "ne2000", resident: 4_000, cost: CRYNWR_NE2000 },
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

/// Newer cards with rings: the most resident bytes with XMS, and without.
const MODERN: [(&str, u32, u32); 4] =
    [("rtl8169", 4_600, 12_288), ("rtl8125", 4_600, 12_288), ("pch", 4_400, 12_288), ("tg3", 5_120, 12_288)];
/// The most instructions for a frame on these cards, in percent of those on `e1000e`.
const MODERN_PERCENT: u32 = 110;
/// Cards of three ways to copy frames between them and XMS.
const WAITING: [&str; 3] = ["ne2000", "el3", "e1000"];
/// The most instructions for a frame of 1,514 bytes that its receiver refuses, interrupt and copies included; and for a frame that
/// is offered again, beside its copy, which moves double words.
const KEPT: u32 = 2_000;
const OFFERED: u32 = 400;
const COPY: u32 = 1514 / 4 + 1514 % 4;
/// Frames that wait.
const MANY: u32 = 600;

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> =
        PEERS.iter().map(|peer| Test::new(format!("qemu/{}/below-peer", peer.nic), move |_| below(peer))).collect();
    for (nic, most, most_low) in MODERN {
        let test = Test::new(format!("qemu/{nic}/figures"), move |_| modern(named(nic)?, most, most_low)).takes(10);
        tests.push(Test { slow: true, ..test });
    }
    for (nic, most) in ACCESSES {
        tests.push(Test::new(format!("qemu/{nic}/register-accesses"), move |_| few_accesses(nic, most)));
    }
    for name in WAITING {
        tests.push(Test::new(format!("qemu/{name}/pool-figures"), move |_| waiting(name)).takes(10));
    }
    tests.extend(MOST.iter().map(|most| Test::new(format!("qemu/{}/instructions", most.nic), move |_| within(most))));
    tests
}

/// A frame is kept and offered again in as few instructions as it may take, with few and with many frames waiting alike.
fn waiting(name: &str) -> Verdict {
    let nic = NICS.iter().find(|nic| nic.name == name).ok_or("there is no such NIC")?;
    let [few, many] = pack::build().and_then(|_| bench::waiting(nic, MANY)).map_err(|error| error.to_string())?;
    println!("        {name}, {} and {} frames wait: kept in {} and {} instructions, offered in {} and {}", few.frames, many.frames, few.kept, many.kept, few.offered, many.offered);
    if many.frames != MANY || few.frames == MANY {
        return Err(format!("{} and {} frames wait", few.frames, many.frames));
    }
    if few.kept > KEPT || few.offered > OFFERED + COPY {
        return Err(format!("{few:?}: more than {KEPT} and {OFFERED} beside the copy's {COPY}"));
    }
    if (few.kept, few.offered) != (many.kept, many.offered) {
        return Err(format!("{few:?} and {many:?}: the number makes a difference"));
    }
    Ok(())
}

/// The figures of this project's driver, by one of bench's functions.
fn measured_by(nic: &Nic, measure: fn(&Nic, &Units) -> io::Result<Row>) -> Result<Row, String> {
    let units = pack::build().and_then(|_| Units::read(&pack::binaries())).map_err(|error| error.to_string())?;
    measure(nic, &units).map_err(|error| error.to_string())
}

fn measured(name: &str) -> Result<Row, String> {
    measured_by(named(name)?, bench::figures)
}

fn named(name: &str) -> Result<&'static Nic, String> {
    NICS.iter().find(|nic| nic.name == name).ok_or_else(|| "there is no such NIC".into())
}

/// Instructions for each kind of frame.
fn all(cost: Cost) -> [[u32; 2]; 3] {
    [cost.send, cost.receive, cost.whole]
}

/// Few bytes, with XMS and without; few instructions for every kind of frame.
pub(super) fn modern(nic: &Nic, most: u32, most_low: u32) -> Verdict {
    let (row, other) = (measured_by(nic, bench::ours)?, measured("e1000e")?);
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

/// Fewer bytes, fewer instructions for every kind of frame, and interrupts off for no longer than a burst. The picture in README
/// has the driver's figures.
fn below(peer: &Figures) -> Verdict {
    let row = measured(peer.nic)?;
    let drawn = std::fs::read_to_string(setup::root().join(picture::FILE)).map_err(|error| format!("{}: {error}", picture::FILE))?;
    if !drawn.contains(&picture::ours(&row)) {
        return Err(format!("{} has other figures: tools/bench --svg > {0}", picture::FILE));
    }
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
