//! Intel's gigabit controllers that QEMU has only with a front of tools/models: an 8254x with ports that work, and parts of the
//! 82576's family. And those with ports in V86 mode, with DMA services that count locks.

use super::field;
use super::machine::{Lab, Rig, Steps, peer, qemu, qemu_on};
use super::runner::{Test, Verdict};
use super::stack;
use super::traffic::{self, LIMIT, conform_line};
use super::{faults, figures, memory};
use crate::nics::{NICS, Nic};
use crate::rig::Job;
use crate::rig::image::{Dos, Xms};
use crate::rig::qemu::{Net, Qemu};

/// Driver and device of cards with ports that reach their registers.
const BY_PORTS: [(&str, &str); 4] =
    [("e1000", "e1000-ports"), ("e1000", "e1000-82544gc-ports"), ("e1000e", "e1000e"), ("igb", "igb")];
/// Parts of the 82576's family, and their names in the line at load. The first one has all tests, the second one too, some of them
/// by `--long`; the others exchange frames, and have CONFORM, INTEGRIT, WAITS and FIELD LINK by `--long`.
const PARTS: [(&str, &str); 8] = [
    ("igb-i225v", "I225-V"), ("igb-i226v", "I226-V"), ("igb-82575eb", "82575EB"), ("igb-82580", "82580"), ("igb-i350", "I350"),
    ("igb-i354", "I354"), ("igb-i210", "I210"), ("igb-i211", "I211"),
];
/// The most resident bytes of these with XMS, and without.
const MOST: (u32, u32) = (4_500, 12_288);

const V86: &str = "V86 ON";
const EXCHANGE: &str = "PKTCTL test";
const STATUS: &str = "PKTCTL status";
const UNLOAD: &str = "3COMPKT /U";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (name, device) in BY_PORTS {
        // The first card has all tests.
        let card = alone(name, device);
        let named = |what: &str| if name == device || device == "e1000-ports" { format!("qemu/{name}/v86-{what}") } else { format!("qemu/{name}/v86-{what}/{device}") };
        tests.push(Test::new(named("exchange"), move |lab| exchange(lab, card)).takes(8));
        tests.push(Test { slow: true, ..Test::new(named("integrity"), move |lab| integrity(lab, card)).takes(10) });
        if device == "e1000-82544gc-ports" {
            continue;
        }
        tests.push(Test { slow: true, ..Test::new(named("conform"), move |lab| conform(lab, card, "", true)).takes(15) });
        tests.push(Test { slow: true, ..Test::new(named("stack"), move |lab| conform(lab, card, " /XMS=48 /STATS /COUNT", true)).takes(30) });
        tests.push(Test { slow: true, ..Test::new(named("no-xms"), move |lab| conform(lab, card, " /MIGRATE=8192", false)).takes(15) });
    }
    tests.push(Test::new("qemu/e1000/v86-dead-ports", dead_ports).takes(4));
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
            test("v86-refused", 4, refused),
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

/// The driver, with this as its only device.
pub(super) fn alone(name: &str, device: &'static str) -> &'static Nic {
    let nic = NICS.iter().find(|nic| nic.name == name).expect("the list has it");
    Box::leak(Box::new(Nic { devices: Box::leak(Box::new([device])), ..*nic }))
}

/// A machine with DMA services.
fn machine(nic: &Nic, net: Net, xms: Xms) -> Result<Qemu, String> {
    Ok(Qemu { dos: Dos { vds: true, xms, ..Dos::default() }, ..qemu_on(nic, net)? })
}

fn load(nic: &Nic) -> String {
    format!("3COMPKT /NIC={}", nic.name)
}

/// Loaded in V86 mode, used and unloaded twice: the rings are locked, then unlocked, and memory and vectors are as before.
pub(super) fn exchange(lab: &Lab, nic: &'static Nic) -> Verdict {
    let load = load(nic);
    let mut script = vec!["ints keep", V86];
    for _ in 0..2 {
        script.extend(["mem", "ints", &load, EXCHANGE, STATUS, UNLOAD, "vds"]);
    }
    script.extend(["mem", "ints"]);
    let steps = machine(nic, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, EXCHANGE, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(STATUS, "V86 mode")?;
    let locks: Vec<&str> = steps.each("vds").iter().map(|step| step.text.as_str()).collect();
    let right = |text: &str, number: u32| text.starts_with(&format!("[vds locks {number} unlocks {number} sum 0000"));
    steps.holds(matches!(locks[..], [first, second] if right(first, 1) && right(second, 2)), "each load locks its rings once")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// INTEGRIT in V86 mode.
pub(super) fn integrity(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let (load, line) = (load(nic), format!("INTEGRIT {}", lab.calls / 25));
    let mut job = lab.job(&[], &[V86, load.as_str(), line.as_str(), STATUS, UNLOAD])?;
    job.limit = LIMIT.mul_f32((lab.calls as f32 / 100_000.0).max(1.0));
    let steps = machine(nic, peer.cable(), Xms::V3)?.steps(&job)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, &line, UNLOAD] {
        steps.exits(line, 0)?;
    }
    steps.prints(&line, "every byte right")
}

/// CONFORM in V86 mode; the driver's stack has room left.
pub(super) fn conform(lab: &Lab, nic: &'static Nic, switches: &str, xms: bool) -> Verdict {
    let peer = peer()?;
    let (load, program) = (format!("{}{switches}", load(nic)), conform_line(nic));
    let job = Job { limit: LIMIT, ..lab.job(&[], &[V86, &load, program, STATUS, UNLOAD])? };
    let steps = machine(nic, peer.cable(), if xms { Xms::V3 } else { Xms::None })?.steps(&job)?;
    steps.prints(V86, "[v86 1]")?;
    for line in [&load, UNLOAD] {
        steps.exits(line, 0)?;
    }
    traffic::judged(&steps, program)?;
    stack::has_margin(&steps, &format!("{load} in V86 mode"))
}

/// The text for a card that V86 mode does not reach.
const OUT_OF_REACH: &str = "the card's registers are out of reach in V86 mode; start the machine without EMM386 or JEMMEX";

/// QEMU's own 8254x has ports that do nothing: it is refused in V86 mode, and works in real mode afterwards.
fn dead_ports(lab: &Lab) -> Verdict {
    refused(lab, alone("e1000", "e1000"))
}

/// Refused in V86 mode by one line; afterwards, in real mode, it works.
pub(super) fn refused(lab: &Lab, nic: &'static Nic) -> Verdict {
    let load = load(nic);
    let script = ["ints keep", V86, "mem", "ints", &load, "mem", "ints", "vds", "V86 OFF", "3COMPKT 0x60", EXCHANGE];
    let steps = machine(nic, Net::User, Xms::V3)?.steps(&lab.job(&[], &script)?)?;
    steps.prints(V86, "[v86 1]")?;
    steps.exits(&load, 1)?;
    let text = &steps.first(&load)?.text;
    steps.holds(text.lines().count() == 1 && text.contains(OUT_OF_REACH), "one line says why")?;
    steps.prints("vds", "[vds locks 0 unlocks 0 ")?;
    steps.same("mem")?;
    steps.same("ints")?;
    steps.exits("3COMPKT 0x60", 0)?;
    steps.exits(EXCHANGE, 0)
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
