//! PCH LAN: the management engine, ultra low power, what an earlier system left, and the parts' own faults, with the core and
//! programs around the driver. tools/tests/pch has each on every part.

use super::machine::{Lab, Rig, peer};
use super::rtl8169::{faults, machine, negotiating, refused};
use super::runner::{Test, Verdict};
use crate::rig::image::Xms;

const NAME: &str = "pch";
const LINE: &str = "3COMPKT";
const EXCHANGE: &str = "PKTCTL test";

/// States in which firmware or an earlier system leaves a part: the test's name and the device.
const LEFT: [(&str, &str); 5] = [
    // No engine ends ultra low power.
    ("asleep", "pch-i219lm7,me=off"),
    // The engine forbids resets of the PHY; the link is up.
    ("engine-forbids", "pch-i219lm2,me=blocking,ulp=off"),
    // 10 Mb/s, as at a shutdown.
    ("slow", "pch-i217lm,left=slow"),
    // An earlier driver's descriptors: a reset would hang the part.
    ("holding", "pch-i219lm2,left=holding"),
    // Each 16th frame is lost with K1.
    ("k1", "pch-82577lm,k1=loses"),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let slow = |test: Test| Test { slow: true, ..test };
    let mut tests: Vec<Test> = LEFT
        .into_iter()
        .map(|(what, device)| slow(Test::new(format!("qemu/pch/left-{what}"), move |lab| works(lab, device))))
        .collect();
    tests.push(slow(Test::new("qemu/pch/negotiating", |lab| negotiating(lab, NAME, "pch-82579lm", Xms::None)).takes(6)));
    tests.push(slow(Test::new("qemu/pch/no-reset", |lab| refused(lab, NAME, "pch-i217lm"))));
    // The arbiter loses writes of tails; the first one is that of load.
    let device = "pch-82579lm,negotiation=0,fault=lost-write@3+lost-write@50*3+lost-write@400*3+lost-doorbell@600*2";
    tests.push(slow(Test::new("qemu/pch/chip-faults", move |lab| faults(lab, NAME, device, Xms::None)).takes(10)));
    tests
}

/// Loads, exchanges frames, unloads, and does so again.
fn works(lab: &Lab, device: &str) -> Verdict {
    let script = [LINE, EXCHANGE, "INTEGRIT 120", "3COMPKT /U", "3COMPKT 0x61", "PKTCTL test /INT=61", "3COMPKT /U /INT=61"];
    let peer = peer()?;
    let steps = machine(NAME, device, peer.cable(), Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    for line in script {
        steps.exits(line, 0)?;
    }
    // With lost frames batches are asked for and sent again.
    steps.prints("INTEGRIT 120", "every byte right; 0 batches asked for again")
}
