//! `3COMPKT /REPLACE`: what the new copy keeps of the old one's control interrupt; which layouts of the old one it can read; and
//! drivers of V86 mode, of upper memory, and two at once.

use std::time::Duration;

use super::machine::{Lab, Rig, Steps, ne2000, peer, qemu, qemu_on};
use super::replace::{EXCHANGE, FRAMES, GOES_ON, REPLACE, STATUS, UNLOAD, look, run};
use super::runner::{Test, Verdict};
use crate::nics::{NICS, Nic};
use crate::rig::Job;
use crate::rig::image::Dos;
use crate::rig::qemu::{Net, Nic as Card, Qemu};

const LIMIT: Duration = Duration::from_secs(240);
const LOG: &str = "PKTCTL log --csv";
const OTHER_LAYOUT: &str = "is of a kind that cannot be replaced";

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for name in ["ne2000", "el3", "e1000"] {
        let nic = named(name);
        tests.push(Test::new(format!("qemu/{name}/replace-callbacks"), move |lab| control(lab, nic)).takes(8));
        tests.push(Test::new(format!("qemu/{name}/replace-polled"), move |lab| polled(lab, nic)).takes(6));
    }
    tests.push(Test::new("qemu/ne2000/replace-larger-handles", larger_handles).takes(6));
    tests.push(Test::new("qemu/ne2000/replace-layouts", layouts).takes(6));
    tests.push(Test::new("qemu/el3/replace-back-medium", medium).takes(6));
    tests.push(Test::new("qemu/ne2000/replace-one-of-two", one_of_two).takes(8));
    tests.push(Test::new("qemu/ne2000/replace-upper", upper).takes(6));
    for name in ["ne2000", "el3"] {
        let nic = named(name);
        tests.push(Test::new(format!("qemu/{name}/replace-v86"), move |lab| v86(lab, nic)).takes(8));
    }
    tests
}

fn named(name: &str) -> &'static Nic {
    NICS.iter().find(|nic| nic.name == name).expect("the list has it")
}

fn lines(script: &[&str]) -> Vec<String> {
    script.iter().map(|line| line.to_string()).collect()
}

/// Callbacks, multiplex number, log, and the parameters that were set; a switch that is given counts more.
fn control(lab: &Lab, nic: &'static Nic) -> Verdict {
    let load = format!("3COMPKT /NIC={} /CTL /XMS=48", nic.name);
    let replace = "3COMPKT /REPLACE /CTL /XMS=48";
    let switched = "3COMPKT /REPLACE /CTL /XMS=48 /BURST=4 /HOLD=5";
    let shown = ["PKTCTL config BURST", "PKTCTL config HOLD", "PKTCTL config INTERVAL", "PKTCTL config LOG"];
    let mut script = vec![load.as_str(), "LISTEN", "PKTCTL config BURST=3", "PKTCTL config HOLD=9", "PKTCTL config INTERVAL=7", "PKTCTL config LOG=5", "ASK", LOG, replace];
    script.extend([LOG, "ASK"]);
    script.extend(shown);
    script.extend(["PKTCTL config INTERVAL=8", "ASK", switched]);
    script.extend(shown);
    script.push("ASK");
    let steps = qemu(nic)?.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for line in [load.as_str(), "LISTEN", replace, switched, "ASK"] {
        steps.exits(line, 0)?;
    }
    let calls: Vec<&str> = steps.each("ASK").iter().map(|step| step.text.get(..13).unwrap_or_default()).collect();
    steps.holds(calls == ["[callbacks 04", "[callbacks 04", "[callbacks 05", "[callbacks 05"], format!("the callback is called at each change: {calls:?}"))?;
    let logs = steps.each(LOG);
    // The card was reset: its link is there again.
    let rest = logs[1].text.strip_prefix(logs[0].text.trim_end());
    steps.holds(rest.is_some_and(|rest| rest.lines().all(|line| line.is_empty() || line.ends_with("link up\""))), "the log has the same entries, and of counts no more")?;
    for (line, texts) in shown.iter().zip([["BURST=3", "BURST=4"], ["HOLD=9", "HOLD=5"], ["INTERVAL=7", "INTERVAL=8"], ["LOG=5", "LOG=5"]]) {
        let said: Vec<&str> = steps.each(line).iter().map(|step| step.text.trim()).collect();
        steps.holds(said == texts, format!("`{line}`: {said:?}"))?;
    }
    Ok(())
}

/// A driver that was set to poll has masked its card's line. The new one interrupts: a resident client gets its frames without a
/// call of INT 60h.
fn polled(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let replace = "3COMPKT /REPLACE /CTL";
    let mut script = lines(&[&format!("3COMPKT /NIC={} /CTL", nic.name), "PKTCTL config POLL=1", replace, "PKTCTL config POLL", EXCHANGE, "CLIENT"]);
    script.extend(look(1));
    let steps = run(&peer, &qemu_on(nic, peer.cable())?, Job { limit: LIMIT, ..lab.job(&[] as &[&str], &[])? }, &script)?;
    for line in ["PKTCTL config POLL=1", replace, EXCHANGE] {
        steps.exits(line, 0)?;
    }
    steps.prints("PKTCTL config POLL", "POLL=0")?;
    seen(&steps, 1)
}

/// Each check of the client's frames was good.
fn seen(steps: &Steps, pauses: usize) -> Verdict {
    for pause in 1..=pauses {
        let [_, line] = look(pause);
        steps.exits(&line, 0)?;
        steps.prints(&line, &format!("[taken {}, for another handle 0, ", pause * FRAMES))?;
    }
    Ok(())
}

/// A driver with handles of 32 bytes: the client's handle has the same number, which is an address, in a table of 16 bytes each.
fn larger_handles(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let mut script = lines(&["3COMPKT", "CLIENT"]);
    script.extend(look(1));
    script.extend(lines(&["DOUBLE", "PKTCTL handles", REPLACE]));
    script.extend(look(2));
    script.extend(lines(&[EXCHANGE, "PKTCTL config", "PKTCTL handles", "3COMPKT /REPLACE /HANDLES=2", "3COMPKT /REPLACE /HANDLES=3"]));
    script.extend(look(3));
    let steps = run(&peer, &qemu_on(ne2000(), peer.cable())?, Job { limit: LIMIT, ..lab.job(&[] as &[&str], &[])? }, &script)?;
    for line in ["DOUBLE", REPLACE, EXCHANGE, "3COMPKT /REPLACE /HANDLES=3"] {
        steps.exits(line, 0)?;
    }
    steps.refuses("3COMPKT /REPLACE /HANDLES=2")?;
    steps.prints("3COMPKT /REPLACE /HANDLES=2", "the programs that have the driver open need 3")?;
    seen(&steps, 3)
}

/// Layouts that this file does not know are refused in one line, and the driver goes on.
fn layouts(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let mut script = lines(&["3COMPKT", "CLIENT"]);
    for (round, change) in ["ODDSIZE", "LATER"].iter().enumerate() {
        script.extend(lines(&[change, REPLACE]));
        script.extend(look(round + 1));
    }
    let steps = run(&peer, &qemu_on(ne2000(), peer.cable())?, Job { limit: LIMIT, ..lab.job(&[] as &[&str], &[])? }, &script)?;
    steps.refuses(REPLACE)?;
    steps.prints(REPLACE, OTHER_LAYOUT)?;
    steps.holds(steps.each(REPLACE).iter().all(|step| step.text.lines().count() == 1), "it says so in one line")?;
    seen(&steps, 2)
}

/// The new copy cannot stand: the old one's card has the medium that it had, and not that of the new switches.
fn medium(lab: &Lab) -> Verdict {
    let nic = named("el3");
    // There is no room for so many handles and such a stack, beside what HOG takes.
    let fails = "3COMPKT /REPLACE /MEDIA=AUI /HANDLES=64 /STACK=2048";
    let machine = |load: &str, least: usize| {
        let hog = format!("HOG {least:X}");
        qemu(nic)?.steps(&Job { limit: LIMIT, ..lab.job(&[], &[load, &hog, "MEDIUM", fails, "MEDIUM", EXCHANGE])? })
    };
    for (load, digit) in [("3COMPKT /NIC=el3", 0), ("3COMPKT /NIC=el3 /MEDIA=BNC /CTL", 3)] {
        // The line names at most 65,535 bytes.
        let least = 0x2000;
        let steps = machine(load, least)?;
        let text = &steps.first(fails)?.text;
        let bytes: Option<String> = text.split_once("too little memory: ").and_then(|(_, rest)| Some(rest.split_once(' ')?.0.replace(',', "")));
        let Some(bytes) = bytes.and_then(|bytes| bytes.parse::<usize>().ok()) else { return steps.fail("no number of bytes is named") };
        let steps = machine(load, least + bytes.div_ceil(16) + 2)?;
        steps.refuses(fails)?;
        steps.prints(fails, GOES_ON.trim_end())?;
        let used = format!("[transceiver {digit}]");
        steps.prints("MEDIUM", &used)?;
        if digit == 0 {
            steps.exits(EXCHANGE, 0)?;
        }
    }
    Ok(())
}

/// With two drivers, `/INT=` says which one is replaced; the other one is as it was.
fn one_of_two(lab: &Lab) -> Verdict {
    let card = |device: &str| Card { device: device.into(), net: Net::User };
    let rig = Qemu { nics: vec![card("ne2k_isa,iobase=0x300,irq=10,mac=02:00:00:00:00:10"), card("e1000,mac=02:00:00:00:00:11")], ..Qemu::default() };
    let (second, first) = ("3COMPKT /REPLACE /INT=61 /CTL /HANDLES=12", "3COMPKT /REPLACE /CTL /HANDLES=6");
    let handles = ["PKTCTL config HANDLES --int=60", "PKTCTL config HANDLES --int=61"];
    let tests = ["PKTCTL test --int=60", "PKTCTL test --int=61"];
    let mut script = vec!["ints keep", "mem", "ints", "3COMPKT /NIC=ne2000 /CTL", "3COMPKT /INT=61 /CTL", second];
    script.extend(handles);
    script.extend(tests);
    script.push(first);
    script.extend(handles);
    script.extend(tests);
    script.extend(["PKTCTL nics --csv", "3COMPKT /U /INT=61", UNLOAD, "mem", "ints"]);
    let steps = rig.steps(&Job { limit: LIMIT, ..lab.job(&[], &script)? })?;
    for line in [second, first, tests[0], tests[1], "3COMPKT /U /INT=61", UNLOAD] {
        steps.exits(line, 0)?;
    }
    for (line, texts) in handles.iter().zip([["HANDLES=8", "HANDLES=6"], ["HANDLES=12", "HANDLES=12"]]) {
        let said: Vec<&str> = steps.each(line).iter().map(|step| step.text.trim()).collect();
        steps.holds(said == texts, format!("`{line}`: {said:?}"))?;
    }
    steps.same("mem")?;
    steps.same("ints")
}

/// A driver in upper memory is replaced by one in conventional memory. An upper block of 64 KB has no room for the replacement:
/// that is refused in one line, and the driver goes on.
fn upper(lab: &Lab) -> Verdict {
    let peer = peer()?;
    let rig = Qemu { dos: Dos { umb_paras: Some(0xFFE), ..Dos::default() }, ..qemu_on(ne2000(), peer.cable())? };
    let high = "LH 3COMPKT /REPLACE";
    let mut script = lines(&["LH 3COMPKT", STATUS, "CLIENT"]);
    script.extend(look(1));
    script.extend(lines(&[REPLACE, EXCHANGE]));
    script.extend(look(2));
    script.extend(lines(&[high, EXCHANGE]));
    script.extend(look(3));
    let steps = run(&peer, &rig, Job { limit: LIMIT, ..lab.job(&[] as &[&str], &[])? }, &script)?;
    steps.prints(STATUS, "upper memory")?;
    steps.exits(REPLACE, 0)?;
    steps.exits(EXCHANGE, 0)?;
    steps.refuses(high)?;
    steps.holds(steps.first(high)?.text.starts_with("3COMPKT: too little memory: "), "one line says why")?;
    seen(&steps, 3)
}

/// Loaded in V86 mode and replaced there; one that was loaded in the other mode is refused, and goes on.
fn v86(lab: &Lab, nic: &'static Nic) -> Verdict {
    let peer = peer()?;
    let refused = "3COMPKT /REPLACE /STATS";
    let mut script = lines(&["V86 OFF", "V86 ON", &format!("3COMPKT /NIC={}", nic.name), "CLIENT"]);
    script.extend(look(1));
    script.extend(lines(&[REPLACE, EXCHANGE]));
    script.extend(look(2));
    script.extend(lines(&["V86 OFF", refused, "V86 ON"]));
    script.extend(look(3));
    let steps = run(&peer, &qemu_on(nic, peer.cable())?, Job { limit: LIMIT, ..lab.job(&[] as &[&str], &[])? }, &script)?;
    steps.exits(REPLACE, 0)?;
    steps.exits(EXCHANGE, 0)?;
    steps.refuses(refused)?;
    seen(&steps, 3)
}
