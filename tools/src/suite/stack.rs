//! How much of the driver's stack is never used: 16 bytes at least, on every NIC that a machine has.

use std::time::Duration;

use super::field;
use super::machine::{Lab, Rig, Steps, peer, qemu_on};
use super::runner::{Test, Verdict};
use super::traffic::{conform_line, is_quick, judged};
use crate::nics::{NICS, Nic};
use crate::rig::Job;
use crate::rig::image::Xms;

/// Longest time of a program without output.
const LIMIT: Duration = Duration::from_secs(240);
/// Bytes of the driver's stack that must stay unused.
const LEAST: usize = 16;
/// Prints how much of the stack was never used; the installer has filled it with one value.
pub const STATUS: &str = "PKTCTL status";

/// All features that take a driver's entries. Frames wait in XMS; or below 1 MB, as do rings.
pub(super) const WAYS: [(&str, &str, Xms); 2] = [("xms", "/XMS=48 /STATS /COUNT", Xms::V3), ("no-xms", "/MIGRATE=16384 /STATS /COUNT", Xms::None)];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        for (name, switches, xms) in WAYS {
            let test = Test::new(format!("qemu/{}/stack-{name}", nic.name), move |lab| deepest(lab, nic, switches, xms)).takes(25);
            tests.push(Test { slow: !is_quick(nic), ..test });
        }
    }
    // The control interrupt's timer entry and log need the stack, too: a card with rings in XMS, and one without rings.
    for nic in NICS.iter().filter(|nic| ["e1000", "ne2000"].contains(&nic.name)) {
        for (name, switches, xms) in WAYS {
            let run = move |lab: &Lab| deepest(lab, nic, &format!("{switches} /CTL"), xms);
            tests.push(Test::new(format!("qemu/{}/stack-ctl-{name}", nic.name), run).takes(25));
        }
    }
    tests
}

/// With every feature: receivers that stay on the driver's stack, receivers that send from stacks of their own, and timer
/// interrupts inside of receivers that send.
pub(super) fn deepest(lab: &Lab, nic: &'static Nic, switches: &str, xms: Xms) -> Verdict {
    let peer = peer()?;
    let load = format!("3COMPKT /NIC={} {switches}", nic.name);
    // With rings below 1 MB every card holds few frames.
    let senders = field::line("FIELD SENDERS /SMALL", nic);
    // Which of the two programs goes deeper differs by card.
    let conform = conform_line(nic);
    let machine = qemu_on(nic, peer.cable())?.with_xms(xms);
    let script = [&*load, conform, STATUS, &*senders, STATUS, "3COMPKT /U"];
    let job = Job { limit: LIMIT, ..lab.job(&[], &script)? };
    let steps = lab.apart(&machine, &job).steps(&job)?;
    judged(&steps, conform)?;
    steps.exits(&senders, 0)?;
    has_margin(&steps, &format!("{} {switches}", nic.name))
}

/// Checks that each [`STATUS`] reports enough unused bytes of the driver's stack.
pub fn has_margin(steps: &Steps, what: &str) -> Verdict {
    for step in steps.each(STATUS) {
        let stack = step.text.lines().find_map(|line| line.trim_start().strip_prefix("stack ")).unwrap_or_default().trim();
        println!("        {what}: of its stack {stack}");
        let left: Option<usize> = stack.split(' ').next().and_then(|left| left.parse().ok());
        steps.holds(left.is_some_and(|left| left >= LEAST), format!("{LEAST} bytes of the driver's stack are never used"))?;
    }
    steps.holds(!steps.each(STATUS).is_empty(), "the driver's stack was looked at")
}
