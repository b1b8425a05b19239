//! The table of what switches cost (tools/src/pack/costs.rs), which README and the manual have: each row against a load, and
//! the parts that PKTCTL names against their sum.

use super::machine::{Lab, Rig, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::LIMIT;
use crate::bench::table::blocks;
use crate::nics::NICS;
use crate::pack::costs::{COLUMNS, Machine, PARTS, frames};
use crate::pack::{self, Units};
use crate::rig::Job;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{Net, Qemu};
use crate::setup;
use compkt::memory::{FRAMES, SLOT};

const MAP: &str = "PKTCTL mem";
const STATUS: &str = "PKTCTL status";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = vec![Test::new("qemu/memory-table-in-readme-and-manual", written)];
    for (machine, title, rows) in PARTS {
        for card in COLUMNS {
            // V86 mode refuses this card.
            if machine == Machine::V86 && card == "e1000" {
                continue;
            }
            let name = format!("qemu/{card}/memory-table-{}", title.split(' ').next().unwrap_or_default());
            tests.push(Test::new(name, move |lab| loads(lab, machine, card, rows)).takes(6));
        }
    }
    tests
}

fn units() -> Result<Units, String> {
    pack::build().and_then(|_| Units::read(&pack::binaries())).map_err(|error| error.to_string())
}

/// README and the manual have the table.
fn written(_: &Lab) -> Verdict {
    let table = units()?.memory()?;
    let manual = std::fs::read_to_string(pack::dist().join("3COMPKT.TXT")).map_err(|error| error.to_string())?;
    let readme = std::fs::read_to_string(setup::root().join("README.md")).map_err(|error| error.to_string())?;
    let has = |text: &str, indent: &str, end: &str| text.contains(&table.iter().map(|line| format!("{indent}{line}{end}")).collect::<String>());
    if !has(&manual, "", "\r\n") {
        return Err("the manual has another table".into());
    }
    if !has(&readme, "    ", "\n") {
        return Err("README has another table than `tools/bench --memory` prints".into());
    }
    Ok(())
}

/// Each row of one part of the table, for one card.
fn loads(lab: &Lab, machine: Machine, card: &str, rows: &[&str]) -> Verdict {
    let units = units()?;
    let nic = NICS.iter().find(|nic| nic.name == card).ok_or("there is no such NIC")?;
    let xms = if machine == Machine::Plain { Xms::None } else { Xms::V3 };
    let rig = Qemu { dos: Dos { xms, ..Dos::default() }, ..qemu_on(nic, Net::User)? };
    let lines: Vec<String> = rows.iter().map(|row| format!("3COMPKT 0x60 {row}")).collect();
    let mut script = vec![if machine == Machine::V86 { "V86 ON" } else { "V86 OFF" }];
    for line in &lines {
        script.extend([line, MAP, STATUS, "3COMPKT /U"]);
    }
    let steps = rig.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    let shown = steps.each(MAP).into_iter().zip(steps.each(STATUS));
    for ((row, line), (map, status)) in rows.iter().zip(&lines).zip(shown) {
        steps.exits(line, 0)?;
        // The parts add up to the last line: `blocks` refuses others.
        let parts = blocks(&map.text).map_err(|error| format!("{card} {row}: {error}"))?;
        let bytes: u32 = parts.iter().map(|part| part.1).sum();
        let table = units.resident(machine, card, row)?;
        steps.holds(Some(bytes) == table, format!("{card} {row}: {bytes} bytes, the table says {table:?}"))?;
        let named = parts.iter().all(|(name, _)| name != "other" && name != "rounding");
        steps.holds(named, format!("{card} {row}: each part has a name"))?;
        // PKTCTL status has the same parts.
        let same = parts.iter().all(|(name, bytes)| status.text.contains(&format!("{name} {bytes}")));
        steps.holds(same, format!("{card} {row}: PKTCTL status has the same parts"))?;
        let room = frames(machine, row);
        let words = match machine {
            _ if room == 0 => continue,
            Machine::Xms => format!("pool         in XMS: room for {room} frames\n"),
            Machine::V86 => format!("bytes of cache, and XMS: room for {room} frames\n"),
            Machine::Plain => "bytes of conventional memory\n".into(),
        };
        let in_xms = format!("{} KB  frames", (u32::from(room) * u32::from(SLOT)).div_ceil(1024));
        let shown = map.text.contains(&words) && status.text.contains(&words);
        steps.holds(shown, format!("{card} {row}: room for {room} frames"))?;
        steps.holds(machine == Machine::Plain || map.text.contains(&in_xms), format!("{card} {row}: {in_xms}"))?;
        steps.holds(machine != Machine::V86 || usize::from(room) <= FRAMES, "V86 mode has no more")?;
    }
    steps.exits("3COMPKT /U", 0)
}
