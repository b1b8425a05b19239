//! Broadcom's tg3: V86 mode by the window in configuration space, firmware that is late or silent, a link that negotiates, and the
//! parts' own faults, with the core and programs around the driver. tools/tests/tg3 has each on every part.

use super::in_v86::{alone, exchange};
use super::machine::{Lab, Rig};
use super::rtl8169::{faults, machine, negotiating, refused};
use super::runner::{Test, Verdict};
use crate::rig::image::Xms;
use crate::rig::qemu::Net;

const NAME: &str = "tg3";
const LINE: &str = "3COMPKT";
/// The part that has all tests: its link is up.
const UP: &str = "tg3-5751,negotiation=0";
/// Parts whose mailboxes are elsewhere, and on PCI.
const OTHERS: [&str; 2] = ["tg3-5906,negotiation=0", "tg3-5788,negotiation=0"];
/// Firmware after the reset: the test's name and the device. At load the driver waits for it, but no longer than a second.
const FIRMWARE: [(&str, &str); 3] = [
    ("silent-firmware", "tg3-5751,negotiation=0,fault=silent-firmware*0"),
    ("slow-firmware", "tg3-5751,negotiation=0,fault=slow-firmware*0"),
    ("stuck-nvram", "tg3-5751,negotiation=0,fault=stuck-nvram*0"),
];
/// Faults while frames flow: an overflow of the FIFO, lost mailboxes, status blocks that are not written.
const FAULTS: &str = "negotiation=0,fault=rx-overrun@40*3+lost-doorbell@20*3+lost-update@30*40+lost-doorbell@600";
/// The transmitter stops until the card is reset, which the driver does not do by itself: that takes 500 bytes.
const HUNG: &str = "tg3-5751,negotiation=0,fault=stays-owned@20";

/// The tests.
pub fn tests() -> Vec<Test> {
    let slow = |what: &str, seconds, run: fn(&Lab) -> Verdict| Test { slow: true, ..Test::new(format!("qemu/tg3/{what}"), run).takes(seconds) };
    let mut tests = vec![
        slow("negotiating", 6, |lab| negotiating(lab, NAME, "tg3-5751", Xms::V3)),
        slow("no-reset", 4, |lab| refused(lab, NAME, UP)),
        slow("no-address", 4, no_address),
        slow("chip-faults", 10, |lab| faults(lab, NAME, &format!("tg3-5751,{FAULTS}"), Xms::V3)),
        slow("chip-faults/no-xms", 10, |lab| faults(lab, NAME, &format!("tg3-5751,{FAULTS}"), Xms::None)),
        slow("chip-faults/tg3-5720", 10, |lab| faults(lab, NAME, &format!("tg3-5720,{FAULTS}"), Xms::V3)),
    ];
    tests.push(slow("hung", 8, hung));
    for device in OTHERS {
        let (part, _) = device.split_once(',').unwrap_or((device, ""));
        tests.push(Test::new(format!("qemu/tg3/v86-exchange/{part}"), move |lab| exchange(lab, alone(NAME, device))).takes(8));
    }
    for (what, device) in FIRMWARE {
        tests.push(Test { slow: true, ..Test::new(format!("qemu/tg3/{what}"), move |lab| works(lab, device)).takes(8) });
    }
    tests
}

/// Loads, exchanges frames, unloads, and does so again.
fn works(lab: &Lab, device: &str) -> Verdict {
    let script = [LINE, "PKTCTL test", "3COMPKT /U", "3COMPKT 0x61", "PKTCTL test /INT=61", "3COMPKT /U /INT=61"];
    let steps = machine(NAME, device, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    for line in script {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// A transmitter that hangs: the driver refuses to send when its buffers are full; unloaded and loaded, it works.
fn hung(lab: &Lab) -> Verdict {
    let script = [LINE, "PKTCTL test /COUNT=40", "3COMPKT /U", "3COMPKT 0x61", "PKTCTL test /INT=61", "3COMPKT /U /INT=61"];
    let steps = machine(NAME, HUNG, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    let [first, fails, rest @ ..] = script;
    steps.exits(first, 0)?;
    steps.holds(steps.first(fails)?.exit != Some(0), "the exchange fails")?;
    for line in rest {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// An NVRAM in which nothing is valid, from which the boot code has loaded no address: one line says so, and the machine is as
/// before.
fn no_address(lab: &Lab) -> Verdict {
    let rig = machine(NAME, &format!("{UP},fault=bad-checksum"), Net::User, Xms::V3)?;
    let steps = rig.steps(&lab.job(&[], &["ints keep", "mem", "ints", LINE, "mem", "ints"])?)?;
    steps.refuses(LINE)?;
    let text = &steps.first(LINE)?.text;
    steps.holds(text.lines().count() == 1 && text.contains("EEPROM"), "one line says why")?;
    steps.same("mem")?;
    steps.same("ints")
}
