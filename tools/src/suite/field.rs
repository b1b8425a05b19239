//! FIELD on every NIC that a machine has: clients as they are in the field.

use std::time::Duration;

use super::machine::{Lab, Rig, Steps, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::is_quick;
use crate::nics::{NICS, Nic};
use crate::peer::Peer;

/// The longest that a group of checks may take: a driver that hangs the machine ends there.
const LIMIT: Duration = Duration::from_secs(120);

/// Groups of checks: the test, the line, about how many seconds.
const GROUPS: [(&str, &str, u32); 5] = [
    ("bursts", "FIELD BURSTS", 15),
    ("calls", "FIELD CALLS", 15),
    ("change", "FIELD CHANGE", 10),
    ("receivers", "FIELD RECEIVERS", 10),
    ("senders", "FIELD SENDERS", 10),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        for (what, group, seconds) in GROUPS {
            let test = Test::new(format!("qemu/{}/field-{what}", nic.name), move |lab| asked(lab, nic, group)).takes(seconds);
            tests.push(Test { slow: !is_quick(nic), ..test });
        }
    }
    tests
}

/// A group of FIELD's checks, and unloading behind it.
fn asked(lab: &Lab, nic: &'static Nic, group: &str) -> Verdict {
    let peer = Peer::new().map_err(|error| error.to_string())?;
    let load = format!("3COMPKT /NIC={}", nic.name);
    let mut job = lab.job(&[], &[load.as_str(), group, "3COMPKT /U"])?;
    job.limit = LIMIT;
    let steps = qemu_on(nic, peer.cable())?.steps(&job)?;
    steps.exits(&load, 0)?;
    judged(&steps, group)?;
    steps.exits("3COMPKT /U", 0)
}

/// All checks of a group held, and it came to its end.
fn judged(steps: &Steps, line: &str) -> Verdict {
    let step = steps.first(line)?;
    let bad: Vec<&str> = step.text.lines().filter(|line| line.starts_with("FAIL")).collect();
    if !bad.is_empty() {
        return Err(format!("{}\n\nin:\n{}", bad.join("\n"), steps.report.output));
    }
    let good = step.text.lines().filter(|line| line.starts_with("ok ")).count();
    steps.holds(good > 0 && step.text.lines().last() == Some(&format!("{good} passed, 0 failed")), "FIELD counts what it printed")?;
    steps.exits(line, 0)
}
