//! Parts of the 82576's family, which QEMU has only with a front of tools/models.

use super::in_v86::alone;
use super::machine::{Lab, Rig, Steps, peer, qemu, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::{self, LIMIT};
use super::{faults, field, figures, memory, stack};
use crate::nics::Nic;
use crate::rig::Job;
use crate::rig::image::Xms;
use crate::rig::qemu::{Net, Qemu};

/// Parts of the 82576's family, and their names in the line at load. The first one has all tests, the second one too, some of them
/// by `--long`; the others exchange frames, and have CONFORM, INTEGRIT, WAITS and FIELD LINK by `--long`.
const PARTS: [(&str, &str); 8] = [
    ("igb-i225v", "I225-V"), ("igb-i226v", "I226-V"), ("igb-82575eb", "82575EB"), ("igb-82580", "82580"), ("igb-i350", "I350"),
    ("igb-i354", "I354"), ("igb-i210", "I210"), ("igb-i211", "I211"),
];
/// The most resident bytes of these with XMS, and without.
const MOST: (u32, u32) = (4_500, 12_288);

const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";
const UNLOAD: &str = "3COMPKT /U";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (number, (device, chip)) in PARTS.into_iter().enumerate() {
        let card = alone("igb", device);
        let test = |what: &str, seconds, run: fn(&Lab, &'static Nic) -> Verdict| Test {
            slow: true,
            long: number != 0,
            ..Test::new(format!("qemu/igb/{what}/{device}"), move |lab| run(lab, card)).takes(seconds)
        };
        tests.push(Test::new(format!("qemu/igb/exchange/{device}"), move |lab| told(lab, card, chip)).takes(5));
        tests.push(Test { long: number > 1, ..test("integrity", 20, traffic::integrity) });
        tests.extend([
            test("conform", 20, traffic::conform),
            test("waits-compact", 15, |lab, nic| memory::few(lab, nic, memory::COMPACT, Xms::V3)),
            test("field-link", 5, |lab, nic| field::link(lab, nic, nic.devices[0])),
        ]);
        if number > 1 {
            continue;
        }
        tests.extend([
            test("fuzz", 20, traffic::fuzz),
            test("disconnected", 5, disconnected),
            test("polled", 5, polled),
            Test { long: number != 1, ..test("interrupts-end", 10, interrupts_end) },
        ]);
        if number != 0 {
            continue;
        }
        tests.extend([
            test("integrity/hma", 8, |lab, nic| traffic::intact_high(lab, nic, Xms::V3)),
            test("ready", 4, traffic::ready),
            test("reload", 8, faults::reload),
            test("figures", 10, |_, nic| figures::modern(nic, MOST.0, MOST.1)),
            test("field-reload", 5, field::reload),
            test("field-reboot", 5, field::reboot),
            test("field-keys", 5, field::keys),
            test("field-cable", 5, field::cable),
        ]);
        for (what, group, seconds) in field::GROUPS {
            let name = format!("qemu/igb/field-{what}/{device}");
            tests.push(Test { slow: true, ..Test::new(name, move |lab| field::asked(lab, card, group)).takes(seconds) });
        }
        for (what, switches, xms) in stack::WAYS {
            let name = format!("qemu/igb/stack-{what}/{device}");
            tests.push(Test { slow: true, ..Test::new(name, move |lab| stack::deepest(lab, card, switches, xms)).takes(40) });
        }
    }
    tests
}

fn load(nic: &Nic) -> String {
    format!("3COMPKT /NIC={}", nic.name)
}

/// The line at load names the chip, and the card reaches its network.
fn told(lab: &Lab, nic: &'static Nic, chip: &str) -> Verdict {
    let load = load(nic);
    let steps = qemu(nic)?.steps(&lab.job(&[], &[load.as_str(), EXCHANGE, STATUS])?)?;
    steps.prints(&load, &format!("3COMPKT: igb: {chip} at "))?;
    steps.exits(EXCHANGE, 0)?;
    reached(&steps)
}

/// An earlier driver has switched the link off in PHPM, which a reset leaves.
fn disconnected(lab: &Lab, nic: &'static Nic) -> Verdict {
    let mut rig = qemu(nic)?;
    rig.nics.iter_mut().for_each(|card| card.device.push_str(",left=disconnected"));
    let steps = rig.steps(&lab.job(&[], &["3COMPKT", EXCHANGE, STATUS])?)?;
    steps.exits("3COMPKT", 0)?;
    steps.exits(EXCHANGE, 0)?;
    reached(&steps)
}

/// A machine whose card has a fault.
fn faulty(nic: &Nic, net: Net, fault: &str) -> Result<Qemu, String> {
    let mut rig = qemu_on(nic, net)?;
    rig.nics.iter_mut().for_each(|card| card.device.push_str(&format!(",fault={fault}")));
    Ok(rig)
}

/// The interrupt never comes, on whatever line: the driver says so, and polling empties the ring.
fn polled(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["3COMPKT", EXCHANGE, "INTEGRIT 100", UNLOAD];
    let steps = faulty(nic, peer.cable(), "lost-interrupt*0")?.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for line in script {
        steps.exits(line, 0)?;
    }
    steps.prints("3COMPKT", " is dead (polled), ")?;
    steps.prints("INTEGRIT 100", "every byte right")
}

/// The interrupts end while frames flow, as an I225's are said to: each call of the driver empties the ring.
fn interrupts_end(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = ["3COMPKT", "INTEGRIT 600", EXCHANGE, UNLOAD];
    let steps = faulty(nic, peer.cable(), "lost-interrupt@300*0")?.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for line in script {
        steps.exits(line, 0)?;
    }
    steps.prints("INTEGRIT 600", "every byte right")
}

fn reached(steps: &Steps) -> Verdict {
    steps.prints(STATUS, "link         up")
}
