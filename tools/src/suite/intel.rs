//! Parts of the 82576's family, which QEMU has only with a front of tools/models.

use super::in_v86::alone;
use super::machine::{Lab, Rig, Steps, qemu};
use super::runner::{Test, Verdict};
use super::{faults, field, figures, stack, traffic};
use crate::nics::Nic;
use crate::rig::image::Xms;

/// Parts of the 82576's family, and how their line at load begins.
const PARTS: [(&str, &str); 2] = [("igb-i225v", "3COMPKT: igb: I225-V at "), ("igb-i226v", "3COMPKT: igb: I226-V at ")];
/// The most resident bytes of these with XMS, and without.
const MOST: (u32, u32) = (4_500, 12_288);

const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (device, line) in PARTS {
        let card = alone("igb", device);
        let slow = |what: &str, seconds, run: fn(&Lab, &'static Nic) -> Verdict| Test {
            slow: true,
            ..Test::new(format!("qemu/igb/{what}/{device}"), move |lab| run(lab, card)).takes(seconds)
        };
        tests.push(Test::new(format!("qemu/igb/exchange/{device}"), move |lab| told(lab, card, line)).takes(5));
        tests.push(slow("integrity", 20, traffic::integrity));
        if device != PARTS[0].0 {
            continue;
        }
        tests.extend([
            slow("conform", 20, traffic::conform),
            slow("fuzz", 20, traffic::fuzz),
            slow("integrity/hma", 8, |lab, nic| traffic::intact_high(lab, nic, Xms::V3)),
            slow("ready", 4, traffic::ready),
            slow("disconnected", 5, disconnected),
            slow("reload", 8, faults::reload),
            slow("figures", 10, |_, nic| figures::modern(nic, MOST.0, MOST.1)),
            slow("field-link", 5, |lab, nic| field::link(lab, nic, nic.devices[0])),
            slow("field-reload", 5, field::reload),
            slow("field-reboot", 5, field::reboot),
            slow("field-keys", 5, field::keys),
            slow("field-cable", 5, field::cable),
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
fn told(lab: &Lab, nic: &'static Nic, line: &str) -> Verdict {
    let load = load(nic);
    let steps = qemu(nic)?.steps(&lab.job(&[], &[load.as_str(), EXCHANGE, STATUS])?)?;
    steps.prints(&load, line)?;
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

fn reached(steps: &Steps) -> Verdict {
    steps.prints(STATUS, "link         up")
}
