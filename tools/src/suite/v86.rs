//! A memory manager that is loaded after the driver: V86 mode begins and ends while the driver is resident.
//!
//! The manager is fixtures/v86.asm, which ends the machine at the first instruction or address that V86 mode does not allow.

use std::time::Duration;

use super::faults::flood;
use super::memory::without;
use super::machine::{Lab, Steps, peer, qemu_on, watched};
use super::runner::{Test, Verdict};
use crate::nics::{Found, NICS, Nic};
use crate::peer::Peer;
use crate::rig::Job;
use crate::rig::bochs::{self, Bochs};
use crate::rig::image::Xms;
use crate::rig::qemu::{Monitor, Net, Nic as Card, Qemu};

const LIMIT: Duration = Duration::from_secs(240);
pub(super) const LOAD: &str = "3COMPKT 0x60";
pub(super) const POOL: &str = "3COMPKT 0x60 /XMS=48";
const ON: &str = "V86 ON";
const OFF: &str = "V86 OFF";
/// The same commands in real mode, in V86 mode, and in real mode again.
const EXCHANGE: [&str; 3] = ["PKTCTL test", "PKTCTL test /COUNT=4", "PKTCTL test /INT=60"];
const STATUS: &str = "PKTCTL status";
const UNLOAD: [&str; 2] = ["3COMPKT /U", "3COMPKT /U /INT=60"];
/// The text of `/U` and PKTCTL in V86 mode, for a driver that rests.
const KEPT: &str = "a memory manager or a program came after the driver; unload that first";
const RESTS: &str = "a memory manager came after it";

/// Frames for another station: fewer than any ring holds.
const STRANGERS: u32 = 6;

/// Drivers with rings or registers above 1 MB.
fn is_flat(nic: &Nic) -> bool {
    nic.found == Found::Pci && (nic.memory || matches!(nic.name, "e1000" | "vmxnet3"))
}

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for nic in NICS.iter().filter(|nic| !nic.devices.is_empty()) {
        let test = |what: &str, run: fn(&Lab, &'static Nic) -> Verdict| Test::new(format!("qemu/{}/late-v86{what}", nic.name), move |lab| run(lab, nic)).takes(8);
        if is_flat(nic) {
            tests.push(test("", |lab, nic| rests(lab, nic, LOAD)));
            tests.push(test("/no-line", |lab, nic| no_line(lab, nic, LOAD)));
            tests.push(test("/one-line", one_line));
            tests.push(test("/mode", mode));
        }
        if matches!(nic.name, "ne2000" | "ne2k_pci" | "el3" | "vortex") {
            tests.push(test("/pool", |lab, nic| rests(lab, nic, POOL)));
            tests.push(test("/goes-on", |lab, nic| goes_on(lab, nic, LOAD)));
        }
        // Not drivers that also have registers in memory.
        if nic.memory && nic.found == Found::Pci && !matches!(nic.name, "e1000" | "e1000e" | "igb" | "pch" | "tg3" | "virtio_net") {
            tests.push(test("/low-rings-go-on", low_rings));
        }
    }
    tests.push(Test::new("qemu/virtio_net/late-v86/pool", |lab| rests(lab, named("virtio_net"), POOL)).takes(8));
    tests.push(Test::new("qemu/ne2000/late-v86/pool-keyboard", keyboard).takes(8));
    tests.push(Test::new("qemu/e1000/late-v86/pool-no-line", |lab| no_line(lab, named("e1000"), POOL)).takes(8));
    tests.push(Test::new("bochs/e1000/late-v86", |lab| in_bochs(lab, bochs::Nic::E1000, LOAD)).takes(30));
    tests.push(Test::new("bochs/ne2000/late-v86/pool", |lab| in_bochs(lab, bochs::Nic::Ne2000 { base: 0x300, irq: 5 }, POOL)).takes(30));
    tests
}

fn named(name: &str) -> &'static Nic {
    NICS.iter().find(|nic| nic.name == name).expect("the list has it")
}

/// Runs a job with one card; `on_line` acts at lines of its output.
fn run(lab: &Lab, rig: &Qemu, exec: &[&str], on_line: &mut dyn FnMut(&str, &mut Monitor)) -> Result<Steps, String> {
    watched(rig, &Job { limit: LIMIT, ..lab.job(&[], exec)? }, on_line)
}

/// In V86 mode calls that send are refused, the driver is not unloaded, and the machine works under a flood of frames. In real
/// mode the NIC works again.
fn script(load: &'static str) -> Vec<&'static str> {
    vec![
        OFF, "ints keep", "mem", "ints", load, EXCHANGE[0], ON, "CLOCK", EXCHANGE[1], STATUS, UNLOAD[0], OFF, EXCHANGE[2], UNLOAD[1],
        "mem", "ints",
    ]
}

pub(super) fn rests(lab: &Lab, nic: &'static Nic, load: &'static str) -> Verdict {
    let peer = peer()?;
    flooded(lab, &qemu_on(nic, peer.cable())?, &peer, load)
}

/// Only the keyboard controller moves A20. Such a machine has no level-triggered line; in QEMU line 10 is one.
fn keyboard(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let nics = vec![Card { device: "ne2k_isa,iobase=0x300,irq=5".into(), net: peer.cable() }];
    let mut rig = Qemu { nics, ..Qemu::default() };
    without(&mut rig, "no-port92")?;
    flooded(lab, &rig, &peer, POOL)
}

fn flooded(lab: &Lab, rig: &Qemu, peer: &Peer, load: &'static str) -> Verdict {
    let steps = run(lab, rig, &script(load), &mut |line, _| {
        if line == "[v86 1]" {
            flood(peer);
        }
    })?;
    rested(&steps, load)
}

fn rested(steps: &Steps, load: &str) -> Verdict {
    steps.exits(load, 0)?;
    steps.exits(EXCHANGE[0], 0)?;
    steps.prints(ON, "[v86 1]")?;
    steps.exits(EXCHANGE[1], 3)?;
    steps.prints(EXCHANGE[1], "CANT_SEND")?;
    steps.prints(EXCHANGE[1], RESTS)?;
    steps.prints(STATUS, RESTS)?;
    steps.refuses(UNLOAD[0])?;
    steps.prints(UNLOAD[0], KEPT)?;
    steps.prints(OFF, "[v86 0]")?;
    steps.exits(EXCHANGE[2], 0)?;
    steps.exits(UNLOAD[1], 0)?;
    steps.same("mem")?;
    steps.same("ints")
}

/// The same with a card without an interrupt line.
fn no_line(lab: &Lab, nic: &'static Nic, load: &'static str) -> Verdict {
    let script = ["NOLINES", load, EXCHANGE[0], ON, EXCHANGE[1], UNLOAD[0], OFF, EXCHANGE[2], UNLOAD[1]];
    let steps = run(lab, &qemu_on(nic, Net::User)?, &script, &mut |_, _| ())?;
    steps.prints(load, "no IRQ (polled)")?;
    steps.exits(EXCHANGE[0], 0)?;
    steps.exits(EXCHANGE[1], 3)?;
    steps.refuses(UNLOAD[0])?;
    steps.exits(EXCHANGE[2], 0)?;
    steps.exits(UNLOAD[1], 0)
}

/// A receive mode that is set while the driver rests is in force afterwards.
fn mode(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let script = [LOAD, EXCHANGE[0], ON, "MODE", OFF, EXCHANGE[2], STATUS, "STALL", "PKTCTL status /INT=60"];
    let steps = run(lab, &qemu_on(nic, peer.cable())?, &script, &mut |line, _| {
        if line == "[stall]" {
            for _ in 0..STRANGERS {
                peer.send([&[2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 0x98, 0x88, 0xB6][..], &[0; 46]].concat());
            }
        }
    })?;
    for line in [LOAD, EXCHANGE[0], "MODE", EXCHANGE[2]] {
        steps.exits(line, 0)?;
    }
    let count = |line: &str| -> Result<u32, String> {
        let text = &steps.first(line)?.text;
        let word = text.split("  in  ").nth(1).and_then(|rest| rest.trim_start().split(' ').next());
        word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("no count in {text}"))
    };
    let came = count("PKTCTL status /INT=60")? - count(STATUS)?;
    steps.holds(came >= STRANGERS / 2, format!("frames for another station come in: {came}"))
}

/// Another card on the same level-triggered line (slots 2 and 6 of QEMU's PC) works while the driver rests under a flood; its
/// interrupts are passed on by the resting driver.
fn one_line(lab: &Lab, nic: &'static Nic) -> Verdict {
    let (flooded, other) = (peer()?, named("ne2k_pci"));
    let card = |device: &str, slot: u32, net: Net| Card { device: format!("{device},addr={slot}"), net };
    let nics = vec![card(nic.devices[0], 2, flooded.cable()), card(other.devices[0], 6, Net::User)];
    let load = format!("3COMPKT /NIC={}", nic.name);
    let script = [
        "3COMPKT /INT=61 /NIC=ne2k_pci", load.as_str(), STATUS, "PKTCTL test /INT=61", EXCHANGE[2], ON, "PKTCTL test /INT=61 /COUNT=4",
        EXCHANGE[1], OFF, EXCHANGE[2], "PKTCTL test /INT=61 /COUNT=3",
    ];
    let steps = run(lab, &Qemu { nics, ..qemu_on(nic, Net::User)? }, &script, &mut |line, _| {
        if line == "[v86 1]" {
            flood(&flooded);
        }
    })?;
    let lines: Vec<&str> = steps.first(STATUS)?.text.split(", IRQ ").skip(1).filter_map(|rest| rest.lines().next()).collect();
    steps.holds(lines.len() == 2 && lines[0] == lines[1], "both cards have one line")?;
    steps.exits(EXCHANGE[1], 3)?;
    for line in ["PKTCTL test /INT=61", EXCHANGE[2], "PKTCTL test /INT=61 /COUNT=4", "PKTCTL test /INT=61 /COUNT=3"] {
        steps.exits(line, 0)?;
    }
    Ok(())
}

/// A driver with nothing above 1 MB works in V86 mode, and can be unloaded there.
fn goes_on(lab: &Lab, nic: &'static Nic, load: &'static str) -> Verdict {
    went_on(lab, &qemu_on(nic, Net::User)?, load)
}

/// The same with rings below 1 MB.
fn low_rings(lab: &Lab, nic: &'static Nic) -> Verdict {
    went_on(lab, &qemu_on(nic, Net::User)?.with_xms(Xms::None), LOAD)
}

fn went_on(lab: &Lab, rig: &Qemu, load: &'static str) -> Verdict {
    let script = [OFF, "ints keep", "mem", "ints", load, EXCHANGE[0], ON, EXCHANGE[1], STATUS, OFF, EXCHANGE[2], ON, UNLOAD[0], OFF, "mem", "ints"];
    let steps = run(lab, rig, &script, &mut |_, _| ())?;
    for line in [load, EXCHANGE[0], EXCHANGE[1], EXCHANGE[2], UNLOAD[0]] {
        steps.exits(line, 0)?;
    }
    steps.holds(!steps.first(STATUS)?.text.contains(RESTS), "the driver does not rest")?;
    steps.same("mem")?;
    steps.same("ints")
}

/// In Bochs, which checks limits of segments. The monitor goes back to real mode once, and leaves limits of 64 KB then.
fn in_bochs(lab: &Lab, nic: bochs::Nic, load: &'static str) -> Verdict {
    let rig = Bochs { nic, real_time: true, ..Bochs::default() };
    let (report, faults) = rig.run_with_faults(&lab.job(&[], &script(load))?).map_err(|error| error.to_string())?;
    let steps = Steps::of(report);
    steps.holds(faults == 1, format!("{faults} faults beyond a limit"))?;
    rested(&steps, load)
}
